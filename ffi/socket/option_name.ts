import { abi } from "../abi/mod.ts";

const { IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP, SOL_SOCKET } = abi.constants;

/** What the names of a level's options look like. */
const NAMES: ReadonlyMap<number, RegExp> = new Map([
  [SOL_SOCKET, /^SO_/],
  [IPPROTO_IP, /^(IP|MCAST)_(?!PMTUDISC_)/],
  [IPPROTO_IPV6, /^(IPV6|MCAST)_/],
  [IPPROTO_TCP, /^TCP_/],
  [IPPROTO_UDP, /^UDP_/],
]);

/** Names an option for messages: `SO_RCVBUF`, or `option 1234 at level 1` if it is not known. */
export function nameOfOption(level: number, option: number): string {
  const { constants, options, messages, sourceGroups } = abi;
  const all = {
    ...sourceGroups?.constants,
    ...messages?.constants,
    ...options?.constants,
    ...constants,
  };
  const matches = ([name, value]: [string, number]) =>
    value === option && (NAMES.get(level)?.test(name) ?? false);
  return Object.entries(all).find(matches)?.[0] ?? `option ${option} at level ${level}`;
}
