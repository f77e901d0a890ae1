import type { Abi } from "./abi.ts";
import { linuxArm64, linuxX64 } from "./linux.ts";

/** Linux with musl, such as Alpine, on x86-64. */
export const muslX64: Abi = {
  ...linuxX64,
  libc: [
    "libc.musl-x86_64.so.1",
    "/lib/libc.musl-x86_64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/usr/lib/libc.so",
  ],
  constants: { ...linuxX64.constants, SOMAXCONN: 128 },
};

/** Linux with musl on arm64. */
export const muslArm64: Abi = {
  ...muslX64,
  libc: [
    "libc.musl-aarch64.so.1",
    "/lib/libc.musl-aarch64.so.1",
    "/lib/ld-musl-aarch64.so.1",
    "/usr/lib/libc.so",
  ],
  epoll: linuxArm64.epoll,
};
