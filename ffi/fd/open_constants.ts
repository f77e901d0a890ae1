/**
 * Flags for {@linkcode FileDescriptor.open}.
 *
 * @module
 */

import { abi } from "../abi/mod.ts";

const constants: Partial<typeof abi.constants> = abi.constants;

/**
 * Open for reading only. 0 on every system.
 *
 * @category Flags of FileDescriptor.open()
 */
export const O_RDONLY: number = constants.O_RDONLY ?? 0;

/**
 * Open for writing only. 0 on Windows.
 *
 * @category Flags of FileDescriptor.open()
 */
export const O_WRONLY: number = constants.O_WRONLY ?? 0;

/**
 * Open for reading and writing. 0 on Windows.
 *
 * @category Flags of FileDescriptor.open()
 */
export const O_RDWR: number = constants.O_RDWR ?? 0;

/**
 * Create the file if it does not exist. 0 on Windows.
 *
 * @category Flags of FileDescriptor.open()
 */
export const O_CREAT: number = constants.O_CREAT ?? 0;

/**
 * With `O_CREAT`: fail with `EEXIST` if the file exists. 0 on Windows.
 *
 * @category Flags of FileDescriptor.open()
 */
export const O_EXCL: number = constants.O_EXCL ?? 0;

/**
 * Truncate the file to no bytes. 0 on Windows.
 *
 * @category Flags of FileDescriptor.open()
 */
export const O_TRUNC: number = constants.O_TRUNC ?? 0;

/**
 * Write at the end of the file, always. 0 on Windows.
 *
 * @category Flags of FileDescriptor.open()
 */
export const O_APPEND: number = constants.O_APPEND ?? 0;

/**
 * Do not make a terminal the controlling terminal of this process. 0 on Windows.
 *
 * @category Flags of FileDescriptor.open()
 */
export const O_NOCTTY: number = constants.O_NOCTTY ?? 0;
