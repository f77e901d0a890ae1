import { exitWith, parseInteger } from "./command_line.ts";
import { lookUpService } from "./services.ts";

/** Parses ports, ranges and names of TCP services, or exits. Returns each port once. */
export function parsePortList(list: string): number[] {
  const ports = new Set<number>();
  for (const item of list.split(",")) {
    const [first, last] = parseItem(item);
    for (let port = first; port <= last; port++) ports.add(port);
  }
  return [...ports];
}

function parseItem(text: string): [first: number, last: number] {
  if (text === "-") return [1, 65535];
  if (!/^[-\d]*$/.test(text)) {
    const port = lookUpService(text, "tcp") ??
      exitWith(2, `The service ${text} is unknown: /etc/services does not have it`);
    return [port, port];
  }
  const ends = text.split("-").map((end) => parseInteger("port", end, 1, 65535));
  const [first, last = first] = ends as [number, number?];
  if (ends.length > 2 || last < first) {
    exitWith(2, `A range of ports must be FIRST-LAST, received ${text}`);
  }
  return [first, last];
}
