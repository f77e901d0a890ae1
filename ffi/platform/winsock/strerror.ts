import { abi } from "../../abi/mod.ts";
import { libcCalls } from "../../libc.ts";

const calls = libcCalls({
  FormatMessageW: {
    parameters: ["u32", "pointer", "u32", "u32", "buffer", "u32", "pointer"],
    result: "u32",
  },
}, abi.winsock?.libraries.kernel);

/** Returns Windows' message for one of Winsock's errors, in the user's language. */
export function strerror(errno: number): string {
  const { constants } = abi.winsock!;
  const flags = constants.FORMAT_MESSAGE_FROM_SYSTEM | constants.FORMAT_MESSAGE_IGNORE_INSERTS |
    constants.FORMAT_MESSAGE_MAX_WIDTH_MASK; // Without line breaks.
  const text = new Uint16Array(1024);
  const { FormatMessageW } = calls();
  const length = FormatMessageW(flags, null, errno >>> 0, 0, text, text.length, null);
  const message = String.fromCharCode(...text.subarray(0, length)).replace(/[\s.]+$/, "");
  return message || `Windows error ${errno}`;
}
