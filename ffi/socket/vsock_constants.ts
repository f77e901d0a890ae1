/**
 * The numbers of sockets between a virtual machine and its host. Each is `undefined` on systems
 * other than Linux.
 *
 * @module
 */

import type { Vsock } from "../abi/abi.ts";
import { abi, NOTHING } from "../abi/mod.ts";

const constants = (abi.vsock?.constants ?? NOTHING) as Vsock["constants"];

/**
 * Context id: any, for binding.
 *
 * @category vsock constants
 */
export const VMADDR_CID_ANY: number = constants.VMADDR_CID_ANY;

/**
 * Context id: services of the hypervisor.
 *
 * @category vsock constants
 */
export const VMADDR_CID_HYPERVISOR: number = constants.VMADDR_CID_HYPERVISOR;

/**
 * Context id: this machine, for loopback.
 *
 * @category vsock constants
 */
export const VMADDR_CID_LOCAL: number = constants.VMADDR_CID_LOCAL;

/**
 * Context id: the host.
 *
 * @category vsock constants
 */
export const VMADDR_CID_HOST: number = constants.VMADDR_CID_HOST;

/**
 * Port: any free one, for binding.
 *
 * @category vsock constants
 */
export const VMADDR_PORT_ANY: number = constants.VMADDR_PORT_ANY;
