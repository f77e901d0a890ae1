import { assertDescriptor } from "./checks.ts";
import type { HasFileno } from "./descriptor.ts";

/**
 * Returns the descriptor of a file.
 *
 * @param attempt The beginning of error messages, such as `"Cannot call ioctl()"`
 * @param file The descriptor, or an object that has it
 * @returns The descriptor, -1 of a closed object
 * @throws {TypeError} If `file` is neither a number nor an object with `fileno()`
 * @throws {RangeError} If it is a number that cannot be a descriptor
 */
export function descriptorOf(attempt: string, file: number | HasFileno): number {
  if (typeof file === "object" && typeof file?.fileno === "function") return file.fileno();
  if (typeof file !== "number") {
    throw new TypeError(
      `${attempt}: the file must be a number or have a fileno() method, received ${String(file)}`,
    );
  }
  assertDescriptor(`${attempt}: the descriptor`, file);
  return file;
}
