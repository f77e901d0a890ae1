/**
 * Runs programs without a privilege, or in a network namespace of their own (Linux).
 *
 * @module
 */

import { isLinux } from "./os.ts";
import { needs, type Skip, skipUnless } from "./skip.ts";

const CAP_NET_RAW = 13;
const CAP_SYS_ADMIN = 21;

const canMakeRaw = hasCapability(CAP_NET_RAW);
const isAdmin = hasCapability(CAP_SYS_ADMIN);

/** Returns the command without the privilege to make raw and packet sockets. */
export function withoutRaw(command: readonly string[]): string[] {
  return canMakeRaw ? dropRaw(command) : [...command];
}

/** The same inside {@linkcode inOwnNetwork}, where the command would have the privilege. */
export function dropRaw(command: readonly string[]): string[] {
  return ["setpriv", "--bounding-set", "-net_raw", ...command];
}

/**
 * Returns the command in a network namespace of its own, which has the loopback interface alone.
 *
 * @param prepare Lines for `sh`, which run there first
 */
export function inOwnNetwork(prepare: string, command: readonly string[]): string[] {
  const unshare = ["unshare", ...(isAdmin ? ["--net"] : ["--map-root-user", "--net"])];
  const script = ["set -e", "ip link set lo up", prepare, 'exec "$@"'].join("\n");
  return [...unshare, "sh", "-c", script, "sh", ...command];
}

/** Returns the command in the network namespace of a process that runs in one of its own. */
export function inNetworkOf(pid: number, command: readonly string[]): string[] {
  const users = isAdmin ? [] : ["--user", "--preserve-credentials"];
  return ["nsenter", "--target", `${pid}`, ...users, "--net", ...command];
}

/** Lines for {@linkcode inOwnNetwork} that wait until links carry packets, after they were set up. */
export function untilUp(...links: string[]): string {
  return links.map((link) => `until ip link show ${link} | grep -q "state UP"; do sleep 0.01; done`)
    .join("\n");
}

/** Lines that wait until new IPv6 addresses can be used, which takes a moment also with `nodad`. */
export const UNTIL_USABLE = `until [ -z "$(ip -6 addr show tentative)" ]; do sleep 0.01; done`;

/** Lets every group ping: a line for {@linkcode inOwnNetwork}. */
export const EVERYONE_PINGS = "echo '0 0' > /proc/sys/net/ipv4/ping_group_range";

/** Skips a test that runs programs in network namespaces. */
export const needsOwnNetwork: Skip = isLinux
  ? needs("network namespaces (unshare, ip)", succeeds(inOwnNetwork("", ["true"])))
  : skipUnless(isLinux, "only Linux has network namespaces");

/** Skips a test that makes raw or packet sockets. */
export const needsRaw: Skip = isLinux
  ? needs("the privilege CAP_NET_RAW", canMakeRaw)
  : skipUnless(isLinux, "it uses raw or packet sockets as Linux has them");

/** Skips a test that changes users. */
export const needsRoot: Skip = isLinux
  ? needs("root", Deno.uid() === 0)
  : skipUnless(isLinux, "it changes users as on Linux");

/** Skips a test that runs programs without a privilege. */
export const needsSetpriv: Skip = isLinux
  ? needs("setpriv", succeeds(["setpriv", "--dump"]))
  : skipUnless(isLinux, "only Linux has setpriv");

function hasCapability(number: number): boolean {
  if (!isLinux) return false;
  const [, effective] = /^CapEff:\s*(\w+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))!;
  return (BigInt(`0x${effective}`) >> BigInt(number) & 1n) === 1n;
}

function succeeds([program, ...args]: readonly string[]): boolean {
  try {
    return new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}
