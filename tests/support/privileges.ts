/**
 * Runs programs without a privilege, and in a network of their own (Linux).
 *
 * @module
 */

import { needs, type Skip, skipIf } from "./skip.ts";

/** The command without the privilege to make raw and packet sockets, whoever runs it. */
export function withoutRaw(command: readonly string[]): string[] {
  return isRoot ? ["setpriv", "--bounding-set", "-net_raw", ...command] : [...command];
}

/** The command in a network of its own, with loopback alone, after a few lines for `sh`. */
export function inOwnNetwork(prepare: string, command: readonly string[]): string[] {
  const unshare = ["unshare", ...(isRoot ? ["--net"] : ["--map-root-user", "--net"])];
  const script = ["set -e", "ip link set lo up", prepare, 'exec "$@"'].join("\n");
  return [...unshare, "sh", "-c", script, "sh", ...command];
}

/** The command in the network of a process. */
export function inNetworkOf(pid: number, command: readonly string[]): string[] {
  const users = isRoot ? [] : ["--user", "--preserve-credentials"];
  return ["nsenter", "--target", `${pid}`, ...users, "--net", ...command];
}

/** Lets every group ping: a line for `inOwnNetwork()`. */
export const EVERYONE_PINGS = "echo '0 0' > /proc/sys/net/ipv4/ping_group_range";

const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;

/** Skips a test where a process cannot have a network of its own. */
export const needsOwnNetwork: Skip = Deno.build.os === "linux"
  ? needs("networks of a process's own (unshare, ip)", succeeds(inOwnNetwork("", ["true"])))
  : skipIf(true, "networks of a process's own are Linux's");

/** Skips a test that makes raw and packet sockets. */
export const needsRaw: Skip = Deno.build.os === "linux"
  ? needs("the privilege CAP_NET_RAW", isRoot)
  : skipIf(true, "it uses raw or packet sockets as Linux has them");

/** Skips a test that runs programs without a privilege. */
export const needsSetpriv: Skip = Deno.build.os === "linux"
  ? needs("setpriv", succeeds(withoutRaw(["true"])))
  : skipIf(true, "privileges are taken away as on Linux");

function succeeds([program, ...args]: readonly string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}
