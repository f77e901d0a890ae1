import { abi } from "../abi/mod.ts";
import type { HasFileno } from "../descriptor.ts";
import { libcCalls } from "../libc.ts";

const calls = libcCalls({
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // Fillers take up the registers, so that the argument goes on the stack.
  ioctlOnStack: {
    name: "ioctl",
    parameters: ["i32", "u64", "i32", "i32", "i32", "i32", "i32", "i32", "buffer"],
    result: "i32",
  },
});

/** Calls `ioctl` with a pointer, or with none. Returns what it returns. */
export function ioctl(
  file: HasFileno,
  request: number,
  argument: DataView<ArrayBuffer> | null,
): number {
  return abi.variadicOnStack
    ? calls().ioctlOnStack(file.fileno(), BigInt(request), 0, 0, 0, 0, 0, 0, argument)
    : calls().ioctl(file.fileno(), BigInt(request), argument);
}
