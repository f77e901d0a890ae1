import { abi } from "../../ffi/abi/mod.ts";
import { libcCalls } from "../../ffi/libc.ts";
import { closeDescriptor, duplicate, isOpen } from "../../ffi/descriptor.ts";
import { cString } from "../../ffi/memory.ts";
import { type FileDescriptor, pipe, type Socket, socketpair } from "../../ffi/socket/mod.ts";
import { isQemu, isWindows } from "./os.ts";
import { isWinsock } from "./platform.ts";
import { type Skip, skipIf } from "./skip.ts";

const calls = libcCalls({
  open: { parameters: ["buffer", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
});

// Windows duplicates a socket by describing it to the process that gets the duplicate.
const winsockCalls = libcCalls({
  WSADuplicateSocketA: { parameters: ["i32", "u32", "buffer"], result: "i32" },
  WSASocketA: { parameters: ["i32", "i32", "i32", "buffer", "u32", "u32"], result: "i32" },
});

function duplicateSocket(fd: number): number {
  const { WSADuplicateSocketA, WSASocketA } = winsockCalls();
  const info = new Uint8Array(abi.winsock!.WSAPROTOCOL_INFOA.size);
  if (WSADuplicateSocketA(fd, Deno.pid, info) !== 0) return -1;
  return WSASocketA(-1, -1, -1, info, 0, 0);
}

const kernelCalls = libcCalls({
  CloseHandle: { parameters: ["i32"], result: "i32" },
  CreateFileW: {
    parameters: ["buffer", "u32", "u32", "pointer", "u32", "u32", "pointer"],
    result: "i32",
  },
  CreatePipe: { parameters: ["buffer", "buffer", "pointer", "u32"], result: "i32" },
}, abi.winsock?.libraries.kernel);

/** Opens handles that are not sockets on Windows: a file, and both ends of a pipe. */
export function notSockets(path: string): Disposable & { readonly handles: readonly number[] } {
  const { CloseHandle, CreateFileW, CreatePipe } = kernelCalls();
  const [reader, writer] = [new Int32Array(2), new Int32Array(2)];
  const [GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING] = [0x8000_0000, 1, 3];
  const name = Uint16Array.from(`${path}\0`, (character) => character.charCodeAt(0));
  const file = CreateFileW(name, GENERIC_READ, FILE_SHARE_READ, null, OPEN_EXISTING, 0, null);
  if (file < 0 || CreatePipe(reader, writer, null, 0) === 0) {
    throw new Error("Cannot open a file and a pipe");
  }
  const handles = [file, reader[0]!, writer[0]!];
  return { handles, [Symbol.dispose]: () => handles.forEach((handle) => CloseHandle(handle)) };
}

/** Skips a test of descriptors that are duplicated onto the number of another. */
export const needsDup2: Skip = skipIf(isWindows, "Windows cannot choose the number of a duplicate");

const BYTE = new Uint8Array(1);

/** Two connected sockets, closed at the end of a `using` block. */
export class Pair implements Disposable {
  readonly left: Socket;
  readonly right: Socket;

  constructor() {
    [this.left, this.right] = socketpair();
  }

  /** Makes the left socket readable. */
  fill(): void {
    this.right.send(BYTE);
  }

  /** Makes the left socket unreadable again. */
  drain(): void {
    this.left.recv(new Uint8Array(4096));
  }

  /** Makes the left socket unwritable. */
  stuff(): void {
    const chunk = new Uint8Array(1 << 16);
    while (this.left.send(chunk));
  }

  [Symbol.dispose](): void {
    this.left.close();
    this.right.close();
  }
}

/** A pipe, closed at the end of a `using` block. */
export class Pipe implements Disposable {
  readonly reader: FileDescriptor;
  readonly writer: FileDescriptor;

  constructor() {
    ({ reader: this.reader, writer: this.writer } = pipe());
  }

  [Symbol.dispose](): void {
    this.reader.close();
    this.writer.close();
  }
}

/** A bare descriptor, closed at the end of a `using` block. Children never inherit it. */
export class Descriptor implements Disposable {
  /** The number, also after it is closed. */
  readonly fd: number;
  #open = true;

  constructor(fd: number) {
    if (fd < 0) throw new Error("Cannot make a descriptor");
    this.fd = fd;
  }

  /** Opens an existing file. */
  static open(path: string, mode: "read" | "write" = "read"): Descriptor {
    const flags = (mode === "read" ? 0 : 1) | (abi.constants.O_CLOEXEC ?? 0);
    return new Descriptor(calls().open(cString(path), flags));
  }

  /** Duplicates a descriptor to the lowest free number. */
  static dup(fd: number): Descriptor {
    return new Descriptor(isWinsock ? duplicateSocket(fd) : duplicate(fd));
  }

  /**
   * Duplicates a descriptor to a high number, which stays free after it is closed: the system uses
   * the lowest free number. On Windows the number cannot be chosen, but is not reused at once.
   */
  static dupHigh(fd: number): Descriptor {
    if (isWinsock) return Descriptor.dup(fd);
    block ??= takeBlock();
    return new Descriptor(duplicate(fd, block + 1 + highs++ % (BLOCK - 1)));
  }

  /**
   * Duplicates a descriptor to a number that nothing else uses in a process of its own, which has
   * few descriptors.
   *
   * @param index Which of the reserved numbers, from 0
   */
  static dupReserved(fd: number, index: number): Descriptor {
    return new Descriptor(duplicate(fd, 500 + index));
  }

  fileno(): number {
    return this.#open ? this.fd : -1;
  }

  write(bytes: Uint8Array<ArrayBuffer>): number {
    return calls().write(this.fd, bytes, bytes.length);
  }

  /** Makes the number refer to another open file, as if it had been closed and reused. */
  becomes(fd: number): void {
    if (isOpen(this.fd)) closeDescriptor(this.fd);
    const reused = duplicate(fd, this.fd);
    this.#open = true;
    if (reused !== this.fd) throw new Error(`Cannot reuse fd ${this.fd}: got ${reused}`);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeDescriptor(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

// Under qemu a select() of more than 1,024 bits ends the process.
const [HIGH, HIGHEST, BLOCK] = isQemu ? [700, 1_000, 20] : [14_000, 19_000, 100];

/** The first number of this file's block. */
let block: number | undefined;
let highs = 0;

/**
 * Takes a block of high numbers. Test files run in parallel in one process: each takes one of its
 * own, of which it keeps the first number open.
 */
function takeBlock(): number {
  using file = Descriptor.open("/dev/null");
  for (let first = HIGH; first < HIGHEST; first += BLOCK) {
    const taken = new Descriptor(duplicate(file.fd, first));
    if (taken.fd === first) {
      addEventListener("unload", () => taken.close());
      return first;
    }
    taken.close();
  }
  throw new Error("Cannot take a block of descriptors");
}

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/** Returns the flags of a descriptor, from Linux's /proc. */
export function descriptorFlags(fd: number): { nonBlocking: boolean; closeOnExec: boolean } {
  const info = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
  const flags = parseInt(/^flags:\s*([0-7]+)$/m.exec(info)![1]!, 8);
  return { nonBlocking: (flags & O_NONBLOCK) !== 0, closeOnExec: (flags & O_CLOEXEC) !== 0 };
}

/** The flags of every descriptor that the package opens. */
export const BORN = { nonBlocking: true, closeOnExec: true } as const;
