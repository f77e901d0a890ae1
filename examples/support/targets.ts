import { OSError } from "@readiness/selectors";
import type { RawAddress } from "@readiness/selectors/socket";
import { lookUp } from "./addresses.ts";
import { exitWith } from "./command_line.ts";
import { addressesOf, encodeIp, parseNetwork } from "./networks.ts";
import { warn } from "./output.ts";

/** A host to scan. */
export interface Target {
  readonly hostname: string;
  readonly address: RawAddress;
}

/**
 * Returns the hosts that names, addresses and networks stand for. A name that does not resolve does
 * not end the program, unless it is the only one.
 */
export function findTargets(targets: readonly string[]): Target[] {
  const found = new Set<string>();
  for (const target of targets) {
    try {
      const hostnames = target.includes("/")
        ? addressesOf(parseNetwork(target))
        : [lookUp({ hostname: target, port: 1 }).hostname];
      for (const hostname of hostnames) found.add(hostname);
    } catch (error) {
      if (!(error instanceof OSError) || targets.length === 1) throw error;
      warn(error.message);
    }
  }
  if (found.size === 0) exitWith(2, "There is no host to scan");
  return Array.from(found, (hostname) => ({ hostname, address: encodeIp(hostname) }));
}
