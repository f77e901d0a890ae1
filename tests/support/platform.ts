/**
 * Names and paths that differ between systems, for tests that compare them.
 *
 * @module
 */

import { abi } from "../../ffi/abi/mod.ts";
import { platform } from "../../ffi/platform/mod.ts";

/** Whether this is Windows, with Winsock instead of POSIX's calls. */
export const isWinsock = abi.winsock !== undefined;

/** The names of the system calls, as in errors. */
export const { callNames: names } = platform;

/** The absolute path of libc, for permissions, if it is at a usual one. */
export const libcPath: string | undefined = abi.libc.find((path) => {
  try {
    if (path.startsWith("/")) Deno.dlopen(path, {}).close();
    return path.startsWith("/");
  } catch {
    return false;
  }
});

/** The error of a call on a closed descriptor, which to Winsock is not a socket. */
export const CLOSED = isWinsock ? "ENOTSOCK" : "EBADF";

/** The places of each library that the package opens. */
export const libraries: readonly (readonly string[])[] = [
  abi.libc,
  ...Object.values(abi.winsock?.libraries ?? {}),
];

/** The absolute paths among the places of each library that the package opens. */
export const libraryPaths: readonly (readonly string[])[] = libraries.map((places) =>
  places.filter((place) => /[/\\]/.test(place))
);

/** The places of the library with calls of the process: libc, or kernel32 on Windows. */
export const processLibrary: readonly string[] = abi.winsock?.libraries.kernel ?? abi.libc;

/** The system call of `accept`: `accept4` where it sets the flags of the new socket. */
export const ACCEPT = platform.newSocketFlags === 0 ? "accept" : "accept4";

/** The error of `send` on a socket that is shut down for sending. */
export const BROKEN = isWinsock ? "ESHUTDOWN" : "EPIPE";
