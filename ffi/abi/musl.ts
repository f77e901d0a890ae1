import type { Abi } from "./abi.ts";
import { epollArm64, linuxX64 } from "./linux.ts";

/** Linux with musl, such as Alpine, on x86-64. */
export function muslX64(): Abi {
  const linux = linuxX64();
  const messages = linux.messages!;
  return {
    ...linux,
    libc: [
      "libc.musl-x86_64.so.1",
      "/lib/libc.musl-x86_64.so.1",
      "/lib/ld-musl-x86_64.so.1",
      "/usr/lib/libc.so",
    ],
    constants: { ...linux.constants, SOMAXCONN: 128 },
    // Lengths have the types of POSIX, which are narrower than the kernel's, with padding after.
    messages: {
      ...messages,
      msghdr: {
        size: 56,
        fields: {
          ...messages.msghdr.fields,
          msg_iovlen: [24, 4],
          msg_controllen: [40, 4],
        },
      },
      cmsghdr: {
        size: 16,
        fields: { ...messages.cmsghdr.fields, cmsg_len: [0, 4] },
      },
    },
  };
}

/** Linux with musl on arm64. */
export const muslArm64 = (): Abi => ({
  ...muslX64(),
  libc: [
    "libc.musl-aarch64.so.1",
    "/lib/libc.musl-aarch64.so.1",
    "/lib/ld-musl-aarch64.so.1",
    "/usr/lib/libc.so",
  ],
  epoll: epollArm64,
});
