/**
 * A part of libpcap, which captures packets, over Deno's FFI.
 *
 * @module
 */

/** Where systems have the library. A bare name could mean a file in the current folder. */
const PLACES: readonly string[] = Deno.build.os === "darwin"
  ? ["/usr/lib/libpcap.A.dylib"]
  : [`/usr/lib/${Deno.build.arch}-linux-gnu`, "/usr/lib64", "/usr/lib", "/usr/local/lib"]
    .flatMap((folder) => [`${folder}/libpcap.so.1`, `${folder}/libpcap.so.0.8`]);

const CALLS = {
  pcap_activate: { parameters: ["pointer"], result: "i32" },
  pcap_close: { parameters: ["pointer"], result: "void" },
  pcap_compile: { parameters: ["pointer", "buffer", "buffer", "i32", "u32"], result: "i32" },
  pcap_create: { parameters: ["buffer", "buffer"], result: "pointer" },
  pcap_datalink: { parameters: ["pointer"], result: "i32" },
  pcap_datalink_val_to_name: { parameters: ["i32"], result: "pointer" },
  pcap_dump: { parameters: ["pointer", "pointer", "pointer"], result: "void" },
  pcap_dump_close: { parameters: ["pointer"], result: "void" },
  pcap_dump_flush: { parameters: ["pointer"], result: "i32" },
  pcap_dump_open: { parameters: ["pointer", "buffer"], result: "pointer" },
  pcap_freecode: { parameters: ["buffer"], result: "void" },
  pcap_get_required_select_timeout: { parameters: ["pointer"], result: "pointer", optional: true },
  pcap_get_selectable_fd: { parameters: ["pointer"], result: "i32" },
  pcap_geterr: { parameters: ["pointer"], result: "pointer" },
  pcap_next_ex: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  pcap_open_offline: { parameters: ["buffer", "buffer"], result: "pointer" },
  pcap_set_immediate_mode: { parameters: ["pointer", "i32"], result: "i32" },
  pcap_set_promisc: { parameters: ["pointer", "i32"], result: "i32" },
  pcap_set_snaplen: { parameters: ["pointer", "i32"], result: "i32" },
  pcap_setfilter: { parameters: ["pointer", "buffer"], result: "i32" },
  pcap_setnonblock: { parameters: ["pointer", "i32", "buffer"], result: "i32" },
  pcap_stats: { parameters: ["pointer", "buffer"], result: "i32" },
  pcap_statustostr: { parameters: ["i32"], result: "pointer" },
} as const;

type Library = Deno.StaticForeignLibraryInterface<typeof CALLS>;

/** What `pcap_next_ex` returns at the end of a file. */
const END = -2;

/** What `pcap_activate` returns without a permission. */
const FORBIDDEN = -8;

/** The longest message of an error, and the size of a `bpf_program`, in bytes. */
const MESSAGE_SIZE = 256;
const PROGRAM_SIZE = 16;

/** The most bytes of a packet to capture: as many as there are. */
const WHOLE = 262_144;

/** Something that libpcap refused, or libpcap itself is missing. */
export class PcapError extends Error {}

/** A captured packet. */
export interface Frame {
  readonly time: Date;
  /** The size of the whole packet, of which less may have been captured. */
  readonly size: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Packets that arrive at an interface, or those of a file. */
export class Capture implements Disposable {
  readonly #library: Library;
  readonly #handle: Deno.PointerObject;
  /** The addresses of the header and of the bytes of a packet. */
  readonly #header = new BigUint64Array(1);
  readonly #bytes = new BigUint64Array(1);

  private constructor(library: Library, handle: Deno.PointerObject) {
    this.#library = library;
    this.#handle = handle;
  }

  /**
   * Captures packets of an interface.
   *
   * @param device The interface, or `"any"`
   * @param path The library; the system's by default
   */
  static open(device: string, path?: string): Capture {
    const library = openLibrary(path);
    const message = new Uint8Array(MESSAGE_SIZE);
    const handle = library.pcap_create(cString(device), message);
    if (handle === null) throw failure(`capture on ${device}`, decode(message));
    const capture = new Capture(library, handle);
    try {
      library.pcap_set_snaplen(handle, WHOLE);
      library.pcap_set_promisc(handle, 1);
      library.pcap_set_immediate_mode(handle, 1);
      capture.#activate(device);
      if (library.pcap_setnonblock(handle, 1, message) !== 0) {
        throw failure(`capture on ${device}`, decode(message));
      }
      return capture;
    } catch (error) {
      capture[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Reads packets from a file.
   *
   * @param path The file
   * @param libraryPath The library; the system's by default
   */
  static read(path: string, libraryPath?: string): Capture {
    const library = openLibrary(libraryPath);
    const message = new Uint8Array(MESSAGE_SIZE);
    const handle = library.pcap_open_offline(cString(path), message);
    if (handle === null) throw failure(`read ${path}`, decode(message));
    return new Capture(library, handle);
  }

  /** The descriptor that is readable when there is a packet. */
  get descriptor(): number {
    const fd = this.#library.pcap_get_selectable_fd(this.#handle);
    if (fd < 0) throw new PcapError("This kind of interface has no descriptor to wait for");
    return fd;
  }

  /**
   * After how many milliseconds to look for packets although the descriptor is not readable, or
   * `undefined`. Few kinds of interfaces need it.
   */
  get pollInterval(): number | undefined {
    const timeout = this.#library.pcap_get_required_select_timeout?.(this.#handle) ?? null;
    if (timeout === null) return undefined;
    const view = new Deno.UnsafePointerView(timeout);
    return Number(view.getBigInt64(0)) * 1000 + view.getInt32(8) / 1000;
  }

  /** The link-layer header of the packets, as a number of libpcap. */
  get linkType(): number {
    return this.#library.pcap_datalink(this.#handle);
  }

  /** The name of that header. */
  get linkName(): string {
    return text(this.#library.pcap_datalink_val_to_name(this.linkType)) || `${this.linkType}`;
  }

  /** How many packets the kernel dropped because they came too fast. */
  get dropped(): number {
    const counts = new Uint32Array(3);
    if (this.#library.pcap_stats(this.#handle, counts) !== 0) throw this.#error("count packets");
    return counts[1]!;
  }

  /** Passes over packets that a filter in libpcap's language does not match. */
  filter(expression: string): void {
    const program = new Uint8Array(PROGRAM_SIZE);
    const attempt = `use the filter "${expression}"`;
    const netmask = 0xffff_ffff; // It is not known.
    const { pcap_compile, pcap_setfilter, pcap_freecode } = this.#library;
    if (pcap_compile(this.#handle, program, cString(expression), 1, netmask) !== 0) {
      throw this.#error(attempt);
    }
    const result = pcap_setfilter(this.#handle, program);
    pcap_freecode(program);
    if (result !== 0) throw this.#error(attempt);
  }

  /** Returns the next packet: `null` if there is none now, `undefined` at the end of a file. */
  next(): Frame | null | undefined {
    const result = this.#library.pcap_next_ex(this.#handle, this.#header, this.#bytes);
    if (result === 0) return null;
    if (result === END) return undefined;
    if (result < 0) throw this.#error("get a packet");
    const [header, data] = this.#last();
    // A timeval, the captured size and the whole size.
    const view = new Deno.UnsafePointerView(header);
    const milliseconds = Number(view.getBigInt64(0)) * 1000 + view.getInt32(8) / 1000;
    const bytes = new Uint8Array(view.getUint32(16));
    Deno.UnsafePointerView.copyInto(data, bytes);
    return { time: new Date(milliseconds), size: view.getUint32(20), bytes };
  }

  /** Makes a file for packets, or writes to standard output if the path is `-`. */
  save(path: string): Dump {
    const file = this.#library.pcap_dump_open(this.#handle, cString(path));
    if (file === null) throw this.#error(`write ${path}`);
    const { pcap_dump, pcap_dump_flush, pcap_dump_close } = this.#library;
    return {
      write: () => pcap_dump(file, ...this.#last()),
      flush() {
        if (pcap_dump_flush(file) !== 0) {
          throw new PcapError(`Cannot write ${path}; its disk may be full`);
        }
      },
      [Symbol.dispose]: () => pcap_dump_close(file),
    };
  }

  /** Ends the capture. */
  [Symbol.dispose](): void {
    this.#library.pcap_close(this.#handle);
  }

  #activate(device: string): void {
    const status = this.#library.pcap_activate(this.#handle);
    if (status >= 0) return;
    const reason = text(this.#library.pcap_statustostr(status));
    const detail = text(this.#library.pcap_geterr(this.#handle));
    const advice = status === FORBIDDEN ? "\nIt needs CAP_NET_RAW: run it as root" : "";
    throw failure(`capture on ${device}`, (detail || reason) + advice);
  }

  /** Returns the header and the bytes of the packet that `next` returned last. */
  #last(): [header: Deno.PointerObject, data: Deno.PointerObject] {
    const header = Deno.UnsafePointer.create(this.#header[0]!)!;
    return [header, Deno.UnsafePointer.create(this.#bytes[0]!)!];
  }

  #error(attempt: string): PcapError {
    return failure(attempt, text(this.#library.pcap_geterr(this.#handle)));
  }
}

/** A file that packets are written to. */
export interface Dump extends Disposable {
  /** Writes the packet that `next` returned last. */
  write(): void;
  /** Writes what is still in memory. */
  flush(): void;
}

/** Opens the library: only a program that captures packets needs it. */
function openLibrary(path?: string): Library {
  if (Deno.permissions.requestSync({ name: "ffi" }).state !== "granted") {
    throw new Deno.errors.NotCapable(
      "Cannot open libpcap without FFI permission: run again with --allow-ffi",
    );
  }
  let reason = "it is not in any of the usual places";
  for (const place of path === undefined ? PLACES : [path]) {
    try {
      return Deno.dlopen(place, CALLS).symbols;
    } catch (error) {
      const { message } = error as Error;
      if (path !== undefined || !message.includes("No such file")) reason = message;
    }
  }
  throw new PcapError(
    `Cannot open libpcap: ${reason}. Install it (on Debian: apt-get install libpcap0.8), or say ` +
      "where it is with --library",
  );
}

/** Makes an error. The reason can begin with the name of the file, which the attempt ends with. */
function failure(attempt: string, reason: string): PcapError {
  const [, name, rest] = /^(.+?): (.*)$/s.exec(reason) ?? [];
  const isTwice = name !== undefined && attempt.endsWith(` ${name}`);
  return new PcapError(`Cannot ${attempt}: ${isTwice ? rest : reason}`);
}

function decode(message: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(message).split("\0", 1)[0]!;
}

function text(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
