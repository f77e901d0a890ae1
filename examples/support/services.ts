import { OSError } from "@readiness/selectors";
import { FileDescriptor } from "@readiness/selectors/fd";

/** The table of services, of which a line is `NAME PORT/PROTOCOL [ALIAS...] [# COMMENT]`. */
const SERVICES = "/etc/services";

/** Looks up the port of a service. Returns `undefined` if there is none. */
export function lookUpService(name: string, protocol: "tcp" | "udp"): number | undefined {
  for (const line of readText(SERVICES).split("\n")) {
    const [service, at, ...aliases] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (service !== name && !aliases.includes(name)) continue;
    const [port, itsProtocol] = at?.split("/") ?? [];
    if (itsProtocol === protocol) return Number(port);
  }
  return undefined;
}

/** Reads a text file with the permission for the system's calls alone. It can be missing. */
function readText(path: string): string {
  const decoder = new TextDecoder();
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
