import type { Abi } from "./abi.ts";
import { epollArm64, linuxX64 } from "./linux.ts";

/** Android on x86-64: Linux's kernel under a libc whose resolver comes from NetBSD. */
export function androidX64(): Abi {
  const linux = linuxX64();
  return {
    ...linux,
    libc: [
      "libc.so",
      "/apex/com.android.runtime/lib64/bionic/libc.so",
      "/system/lib64/libc.so",
    ],
    symbols: { ...linux.symbols, errno: "__errno" },
    structs: {
      ...linux.structs,
      addrinfo: {
        size: 48,
        fields: {
          ai_flags: [0, 4],
          ai_family: [4, 4],
          ai_socktype: [8, 4],
          ai_protocol: [12, 4],
          ai_addrlen: [16, 4],
          ai_addr: [32, 8],
          ai_next: [40, 8],
        },
      },
    },
    constants: {
      ...linux.constants,
      SOMAXCONN: 128,
      NI_NUMERICHOST: 2,
      EAI_AGAIN: 2,
      EAI_BADFLAGS: 3,
      EAI_FAIL: 4,
      EAI_FAMILY: 5,
      EAI_MEMORY: 6,
      EAI_NONAME: 8,
      EAI_SERVICE: 9,
      EAI_SOCKTYPE: 10,
      EAI_SYSTEM: 11,
      EAI_ADDRFAMILY: 1,
      EAI_NODATA: 7,
      EAI_OVERFLOW: 14,
    },
  };
}

/** Android on arm64. */
export const androidArm64 = (): Abi => ({ ...androidX64(), epoll: epollArm64 });
