/**
 * The table of services: their names and ports.
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import { FileDescriptor } from "@readiness/selectors/fd";

/** The table, of which a line is `NAME PORT/PROTOCOL [ALIAS...] [# COMMENT]`. */
const SERVICES = "/etc/services";

/** A protocol that services use. */
export type Protocol = "tcp" | "udp";

/** Looks up the port of a service. Returns `undefined` if there is none. */
export function lookUpService(name: string, protocol: Protocol): number | undefined {
  return readServices(protocol).find(({ names }) => names.includes(name))?.port;
}

/** Looks up the name of the service at a port. Returns `undefined` if there is none. */
export function lookUpPort(port: number, protocol: Protocol): string | undefined {
  return readServices(protocol).find((service) => service.port === port)?.names[0];
}

function readServices(protocol: Protocol): { names: string[]; port: number }[] {
  return readText(SERVICES).split("\n").flatMap((line) => {
    const [name, at = "", ...aliases] = line.replace(/#.*/, "").trim().split(/\s+/);
    const [port, itsProtocol] = at.split("/");
    return itsProtocol === protocol ? [{ names: [name, ...aliases], port: Number(port) }] : [];
  });
}

/** Reads a text file with the permission for the system's calls alone. It can be missing. */
function readText(path: string): string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  try {
    using file = FileDescriptor.open(path);
    for (let size; (size = file.read(buffer) ?? 0) > 0;) {
      text += decoder.decode(buffer.subarray(0, size), { stream: true });
    }
  } catch (error) {
    // Windows has no such file, and opens none as a descriptor.
    if (!(error instanceof OSError || error instanceof Deno.errors.NotSupported)) throw error;
  }
  return text;
}
