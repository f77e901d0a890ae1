/**
 * In what systems differ without breaking a promise: names and paths, for tests that compare them.
 *
 * @module
 */

import { abi } from "../../ffi/abi/mod.ts";
import { platform } from "../../ffi/platform/mod.ts";

/** Whether this is Windows, with Winsock instead of POSIX's calls. */
export const isWinsock = abi.winsock !== undefined;

/** The names of the calls, as errors tell them. */
export const { callNames: names } = platform;

/** The place of libc that a permission can name, if it is at a usual one. */
export const libcPath: string | undefined = abi.libc.find((path) => {
  try {
    if (path.startsWith("/")) Deno.dlopen(path, {}).close();
    return path.startsWith("/");
  } catch {
    return false;
  }
});

/** What a call says of a closed descriptor: to Winsock that is just no socket. */
export const CLOSED = isWinsock ? "ENOTSOCK" : "EBADF";

/** Each library that the package opens: the places to try. */
export const libraries: readonly (readonly string[])[] = [
  abi.libc,
  ...Object.values(abi.winsock?.libraries ?? {}),
];

/** Each library that the package opens: the absolute paths among the places to try. */
export const libraryPaths: readonly (readonly string[])[] = libraries.map((places) =>
  places.filter((place) => /[/\\]/.test(place))
);

/** Where the library is that has the calls of the process: libc, or Windows' kernel32. */
export const processLibrary: readonly string[] = abi.winsock?.libraries.kernel ?? abi.libc;

/** The call that accepts, which does it all at once where a socket is born as it is to be. */
export const ACCEPT = platform.newSocketFlags === 0 ? "accept" : "accept4";

/** What a stream says that was shut down for sending. */
export const BROKEN = isWinsock ? "ESHUTDOWN" : "EPIPE";
