/**
 * Prints or saves packets that libpcap captures, with its filter language.
 *
 * It shows how to wait for any C library that has a descriptor: libpcap is called over Deno's FFI
 * without blocking (`support/libpcap.ts`), and `whenReadable()` calls it again whenever its
 * descriptor is readable. It needs neither a thread nor a callback.
 *
 *     sudo deno run --allow-ffi jsr:@readiness/selectors/pcap -i eth0 'udp port 53 or icmp'
 *
 * It needs libpcap, and the privilege CAP_NET_RAW to capture.
 *
 * @module
 */

import { whenReadable } from "@readiness/selectors";
import {
  exitOnWindows,
  exitWith,
  interruption,
  parseCommandLine,
  parseCount,
  run,
} from "./support/command_line.ts";
import { isIp, readFrame } from "./support/frames.ts";
import { formatHexDump } from "./support/hex_dump.ts";
import { Capture, type Dump, type Frame, PcapError } from "./support/libpcap.ts";
import { notice, print, printable } from "./support/output.ts";
import { formatPacket, formatProtocol, MalformedPacket, readPacket } from "./support/packets.ts";

const USAGE = `Usage: pcap.ts [OPTIONS] [FILTER...]

Prints the packets of a network interface or a file that match a filter, such as
"tcp port 80 and host 192.0.2.1" (see pcap-filter(7)), until it is interrupted (Ctrl-C). Then it
prints how many there were.

Options:
  -i, --interface NAME  capture on this interface, such as eth0, lo or (on Linux) any
  -r, --read FILE       read the packets from a file instead
  -w, --write FILE      write the packets to a file instead of printing them; - is standard output
  -c, --count N         exit after this many packets
  -x, --hex             also print their bytes in hexadecimal, without the link-layer header
  -X, --hex-and-text    also print their bytes in hexadecimal and as characters
  -n                    ignored, as it never looks names up
  --library PATH        libpcap, if it is not where the system has it
  -h, --help            show this and exit

It needs libpcap. To capture, it also needs the privilege CAP_NET_RAW: run it as root.`;

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    interface: { type: "string", short: "i" },
    read: { type: "string", short: "r" },
    write: { type: "string", short: "w" },
    count: { type: "string", short: "c" },
    hex: { type: "boolean", short: "x", default: false },
    "hex-and-text": { type: "boolean", short: "X", default: false },
    numeric: { type: "boolean", short: "n" },
    library: { type: "string" },
  }, true);
  const { interface: device, read: source, write: target } = options;
  if ((device === undefined) === (source === undefined)) {
    exitWith(2, "There must be either an interface or a file to read", USAGE);
  }
  const count = parseCount(options.count);
  exitOnWindows("a descriptor for a capture");
  try {
    using capture = device === undefined
      ? Capture.read(source!, options.library)
      : Capture.open(device, options.library);
    applyFilter(capture, positionals.join(" "));
    using dump = target === undefined ? null : capture.save(target);
    const tell = target === "-" ? notice : print;
    const what = device === undefined ? `reading ${source}` : `listening on ${device}`;
    tell(`${printable(what)} (${capture.linkName})`);
    const format = (bytes: Uint8Array) => formatHexDump(bytes, options["hex-and-text"]);
    const dumpHex = options.hex || options["hex-and-text"] ? format : undefined;
    const { total, malformed } = await handlePackets(capture, dump, count, dumpHex);
    dump?.flush();
    const dropped = device === undefined ? "" : `, ${capture.dropped} dropped by the kernel`;
    const bad = dump === null ? `, ${malformed} malformed` : "";
    tell(`${total} packets${bad}${dropped}`);
  } catch (error) {
    if (!(error instanceof PcapError)) throw error;
    exitWith(1, error.message);
  }
});

function applyFilter(capture: Capture, filter: string): void {
  try {
    capture.filter(filter);
  } catch (error) {
    if (!(error instanceof PcapError)) throw error;
    exitWith(2, error.message);
  }
}

/** Prints packets or writes them to a file, until there have been so many or it is interrupted. */
async function handlePackets(
  capture: Capture,
  dump: Dump | null,
  count: number,
  formatBytes?: (bytes: Uint8Array) => string,
) {
  const { descriptor, linkType, linkName, pollInterval } = capture;
  const interrupted = interruption();
  const options = { signal: interrupted };
  let total = 0;
  let malformed = 0;
  try {
    for (let frame; total < count && (frame = await nextFrame()) !== undefined; total++) {
      if (dump === null) show(frame);
      else dump.write();
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  return { total, malformed };

  /** Waits for a packet. At the end of a file there is none. */
  async function nextFrame(): Promise<Frame | undefined> {
    for (;;) {
      if (pollInterval === undefined) return await whenReadable(descriptor, takeFrame, options);
      const timeout = AbortSignal.timeout(pollInterval);
      const signal = AbortSignal.any([interrupted, timeout]);
      try {
        return await whenReadable(descriptor, takeFrame, { signal });
      } catch (error) {
        if (interrupted.aborted || !timeout.aborted) throw error;
      }
    }
  }

  function takeFrame(): Frame | undefined | null {
    const frame = capture.next();
    if (frame === null) dump?.flush();
    return frame;
  }

  function show({ bytes, size, time }: Frame): void {
    let payload: Uint8Array = bytes;
    print(`${time.toISOString().slice(11, 23)} ${describe()}`);
    if (formatBytes !== undefined) print(formatBytes(payload));

    function describe(): string {
      try {
        const content = readFrame(linkType, bytes);
        if (content === null) return `${linkName}, length ${size}`;
        payload = content.payload;
        if (isIp(content)) return formatPacket(readPacket(payload));
        return `${formatProtocol(content.protocol)}, length ${payload.length}`;
      } catch (error) {
        if (!(error instanceof MalformedPacket)) throw error;
        if (bytes.length < size) return `${bytes.length} bytes captured of ${size}`;
        malformed++;
        return `malformed: ${error.message}`;
      }
    }
  }
}
