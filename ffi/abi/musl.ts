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
  // Lengths have the types of POSIX, which are narrower than the kernel's, and padding after them.
  messages: {
    ...linuxX64.messages!,
    msghdr: {
      size: 56,
      fields: {
        ...linuxX64.messages!.msghdr.fields,
        msg_iovlen: [24, 4],
        msg_controllen: [40, 4],
      },
    },
    cmsghdr: {
      size: 16,
      fields: { ...linuxX64.messages!.cmsghdr.fields, cmsg_len: [0, 4] },
    },
  },
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
  epoll: linuxArm64.epoll!,
};
