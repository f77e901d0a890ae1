import { describe, type Fact, typeName } from "./facts.ts";
import type { Verdict } from "./verdict.ts";

/**
 * Has a C compiler judge facts by its system's own headers.
 *
 * @param facts The facts
 * @param compiler The compiler's command and the arguments that choose the system
 * @throws {Deno.errors.NotFound} If there is no such compiler
 */
export async function compile(
  facts: readonly Fact[],
  compiler: readonly string[],
): Promise<Verdict> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/facts.c`, sourceOf(facts));
    const [command, ...args] = compiler;
    const { success, stderr } = await new Deno.Command(command, {
      args: [...args, "-std=gnu11", "-w", "-c", "facts.c", "-o", "facts.o"],
      cwd: folder,
      env: { LC_ALL: "C", ZIG_LOCAL_CACHE_DIR: folder },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    const failed = success
      ? missingSymbols(facts, await Deno.readFile(`${folder}/facts.o`))
      : refused(facts, new TextDecoder().decode(stderr));
    return { held: facts.length - failed.length, failed, notCompared: 0 };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What the line of the first fact comes after. */
const HEADERS = `#define _GNU_SOURCE
#define _DARWIN_UNLIMITED_SELECT
#define __APPLE_USE_RFC_3542
#ifdef _WIN32
#define _WIN32_WINNT 0x0A00
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <afunix.h>
#define SHUT_RD SD_RECEIVE
#define SHUT_WR SD_SEND
#define SHUT_RDWR SD_BOTH
#define WSADATA WSAData
#define WSAPROTOCOL_INFOA _WSAPROTOCOL_INFOA
#define msghdr _WSAMSG
#define msg_name name
#define msg_namelen namelen
#define msg_iov lpBuffers
#define msg_iovlen dwBufferCount
#define msg_control Control.buf
#define msg_controllen Control.len
#define msg_flags dwFlags
#define cmsghdr _WSACMSGHDR
#define iovec _WSABUF
#define iov_base buf
#define iov_len len
#define CMSG_LEN(length) WSA_CMSG_LEN(length)
#define CMSG_SPACE(length) WSA_CMSG_SPACE(length)
#define IPV6_RECVHOPLIMIT IPV6_HOPLIMIT
#define IPV6_RECVPKTINFO IPV6_PKTINFO
#define OSVERSIONINFOW _OSVERSIONINFOW
#else
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#endif
#include <stddef.h>
#include <time.h>
#if __has_include(<sys/epoll.h>)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif
#ifdef __linux__
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#define termios kernel_termios
#include <asm/termbits.h>
#undef termios
#include <asm/ioctls.h>
#endif
#if __has_include(<sys/event.h>)
#include <sys/event.h>
#endif
`;

/** A line a fact, so that the line of a complaint tells the fact. */
function sourceOf(facts: readonly Fact[]): string {
  const ofWinsock = facts.some((fact) => fact.kind === "symbol" && fact.call === "lastError");
  return HEADERS + facts.map((fact) => lineOf(fact, ofWinsock ? "WSA" : "") + "\n").join("");
}

function lineOf(fact: Fact, errnoPrefix: string): string {
  switch (fact.kind) {
    case "size":
      return assertion(`sizeof(${typeName(fact.struct)})`, fact.value);
    case "offset":
      return assertion(`offsetof(${typeName(fact.struct)}, ${fact.field})`, fact.value);
    case "width":
      return assertion(`sizeof(((${typeName(fact.struct)} *)0)->${fact.field})`, fact.value);
    case "constant":
      return assertion(fact.name, fact.value);
    case "errno":
      return assertion(errnoPrefix + fact.name, fact.value);
    case "symbol":
      // Makes the object file ask for the symbol that the header gives the call. Its own symbol
      // does not end with that name: object files store such ones together.
      return `void *${fact.call}_(void) { return (void *)&${
        fact.call === "lastError" ? "WSAGetLastError" : fact.call
      }; }`;
  }
}

function assertion(expression: string, value: number): string {
  return `_Static_assert((long long)(${expression}) == ${value}LL, "wrong");`;
}

function refused(facts: readonly Fact[], complaints: string): string[] {
  const first = HEADERS.split("\n").length;
  const reasons = new Map<string, string>();
  for (const [, line, reason] of complaints.matchAll(/^facts\.c:(\d+):.*?error: (.*)$/gm)) {
    const fact = facts[Number(line) - first];
    if (fact !== undefined) reasons.set(describe(fact), reason);
  }
  if (reasons.size === 0) return [`the compiler says: ${complaints.trim()}`];
  return [...reasons].map(([fact, reason]) => `${fact}: ${reason}`);
}

/** Names are stored as they are in every format of object files. */
function missingSymbols(facts: readonly Fact[], object: Uint8Array): string[] {
  const text = new TextDecoder("latin1").decode(object);
  return facts.flatMap((fact) => {
    if (fact.kind !== "symbol") return [];
    // macOS puts an underscore before every name, and Windows __imp_ before an imported one.
    const name = RegExp(`(?<![\\w$])(_|__imp_)?${RegExp.escape(fact.value)}(?![\\w$])`);
    return name.test(text) ? [] : [`${describe(fact)}: the header has another one`];
  });
}
