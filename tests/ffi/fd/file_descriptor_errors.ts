import { FileDescriptor, O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } from "../../../ffi/fd/mod.ts";
import { Descriptor, Pipe } from "../../support/descriptors.ts";
import {
  BYTES,
  closed,
  closedElsewhere,
  each,
  type ErrorCase,
  NOT_BYTES,
  NOT_DESCRIPTORS,
  NOT_INTEGERS,
  NOT_NUMBERS,
} from "../../support/error_cases.ts";
import { isWindows } from "../../support/os.ts";
import { CLOSED, names } from "../../support/platform.ts";
import { skipIf } from "../../support/skip.ts";

const posixOnly = skipIf(isWindows, "only sockets are descriptors on Windows");

const NOT_STRINGS = [undefined, null, 3, new URL("file:///dev/null")] as const;

const needsOneWayPipe = skipIf(isWindows, "a Windows pipe is two sockets, which read and write");

export const fileDescriptorErrors: readonly ErrorCase[] = [
  {
    name: "FileDescriptor() throws TypeError when the descriptor is not a number",
    error: TypeError,
    message: /^Cannot adopt a descriptor: it must be a number, received /,
    calls: each(NOT_NUMBERS, (value) => new FileDescriptor(value)),
  },
  {
    name:
      "FileDescriptor() throws RangeError when the descriptor is out of range or not an integer",
    error: RangeError,
    message: /^Cannot adopt a descriptor: it must be an integer from 0 to 2147483647, received /,
    calls: each(NOT_DESCRIPTORS, (value) => new FileDescriptor(value)),
  },
  {
    name: "FileDescriptor.read() and write() throw TypeError when the buffer is not a Uint8Array",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: NOT_BYTES.flatMap((value) => [
      () => {
        using ends = new Pipe();
        return ends.reader.read(value as never);
      },
      () => {
        using ends = new Pipe();
        return ends.writer.write(value as never);
      },
    ]),
  },
  {
    name: "FileDescriptor.read() throws OSError when the descriptor is write-only",
    ...needsOneWayPipe,
    error: ["EBADF", names.read],
    message: /^Cannot read from fd \d+: .+ \(EBADF\)$/,
    calls: [() => {
      using ends = new Pipe();
      return ends.writer.read(BYTES);
    }],
  },
  {
    name: "FileDescriptor.write() throws OSError when the descriptor is read-only",
    ...needsOneWayPipe,
    error: ["EBADF", names.write],
    message: /^Cannot write to fd \d+: .+ \(EBADF\)$/,
    calls: [() => {
      using ends = new Pipe();
      return ends.reader.write(BYTES);
    }],
  },
  {
    name: "FileDescriptor.read() throws OSError when the descriptor is a directory",
    ...posixOnly,
    error: ["EISDIR", "read"],
    message: /^Cannot read from fd \d+: /,
    calls: [() => {
      using directory = Descriptor.open("/");
      return new FileDescriptor(directory.fd).read(BYTES);
    }],
  },
  {
    name: "FileDescriptor.write() throws OSError when the reader is closed",
    ...skipIf(isWindows, "the first send() to a closed peer succeeds on Windows"),
    error: ["EPIPE", "write"],
    message: /^Cannot write to fd \d+: .+ \(EPIPE\)$/,
    calls: [() => {
      using ends = new Pipe();
      ends.reader.close();
      return ends.writer.write(BYTES);
    }],
  },
  {
    name: "FileDescriptor.read() throws OSError when it is closed",
    error: ["EBADF", names.read],
    message: /^Cannot read from a closed descriptor: /,
    calls: [() => {
      using ends = new Pipe();
      ends.reader.close();
      return ends.reader.read(BYTES);
    }],
  },
  {
    name: "FileDescriptor.write() throws OSError when it is closed",
    error: ["EBADF", names.write],
    message: /^Cannot write to a closed descriptor: /,
    calls: [() => {
      using ends = new Pipe();
      ends.writer.close();
      return ends.writer.write(BYTES);
    }],
  },
  {
    name: "FileDescriptor.setBlocking() throws OSError when it is closed",
    error: ["EBADF", names.setBlocking],
    message: /^Cannot change the flags of /,
    calls: [true, false].map((blocking) => closed((socket) => socket.setBlocking(blocking))),
  },
  {
    name: "FileDescriptor.isBlocking() throws OSError when it is closed",
    ...skipIf(isWindows, "Winsock cannot tell whether a socket blocks"),
    error: ["EBADF", "fcntl"],
    message: /^Cannot get the flags of /,
    calls: [closed((socket) => socket.isBlocking())],
  },
  {
    name: "FileDescriptor.close() throws OSError when the descriptor was closed elsewhere",
    error: [CLOSED, names.close],
    message: /^Cannot close fd \d+: /,
    calls: [
      closedElsewhere((socket) => socket.close()),
      closedElsewhere((socket) => socket[Symbol.dispose]()),
    ],
  },
  {
    name: "FileDescriptor.open() throws TypeError when the path is not a string",
    ...posixOnly,
    error: TypeError,
    message: /^Cannot open a file: its path must be a string, received /,
    calls: each(NOT_STRINGS, (path) => FileDescriptor.open(path)),
  },
  {
    name: "FileDescriptor.open() throws RangeError when the path contains a NUL",
    ...posixOnly,
    error: RangeError,
    message: /^Cannot open a file: its path must not contain a NUL$/,
    calls: [() => FileDescriptor.open("/dev/null\0")],
  },
  {
    name: "FileDescriptor.open() throws RangeError when the flags or the mode are out of range",
    ...posixOnly,
    error: RangeError,
    message: /^Cannot open \/dev\/null: the (flags|mode) must be an integer from -2147483648 to /,
    calls: [
      ...each(NOT_INTEGERS, (flags) => FileDescriptor.open("/dev/null", flags)),
      ...each(NOT_INTEGERS, (mode) => FileDescriptor.open("/dev/null", O_RDONLY, mode)),
    ],
  },
  {
    name: "FileDescriptor.open() throws OSError when there is no such file",
    ...posixOnly,
    error: ["ENOENT", "open"],
    message: /^Cannot open \/dev\/missing: /,
    calls: [() => FileDescriptor.open("/dev/missing")],
  },
  {
    name: "FileDescriptor.open() throws OSError with O_EXCL when the file exists",
    ...posixOnly,
    error: ["EEXIST", "open"],
    message: /^Cannot open \/dev\/null: /,
    calls: [() => FileDescriptor.open("/dev/null", O_WRONLY | O_CREAT | O_EXCL)],
  },
  {
    name: "FileDescriptor.setInheritable() throws OSError when it is closed",
    error: ["EBADF", names.setInheritable],
    message: /^Cannot change the flags of a closed descriptor: /,
    calls: [true, false].map((value) => closed((socket) => socket.setInheritable(value))),
  },
  {
    name: "FileDescriptor.setBlocking() and setInheritable() throw TypeError without a boolean",
    error: TypeError,
    message: /^Cannot set whether .+: it must be a boolean, received /,
    calls: [undefined, null, 1, "false"].flatMap((value) => [
      closed((socket) => socket.setBlocking(value as never)),
      closed((socket) => socket.setInheritable(value as never)),
    ]),
  },
  {
    name: "FileDescriptor.dup() throws OSError when it is closed",
    ...posixOnly,
    error: ["EBADF", "fcntl"],
    message: /^Cannot duplicate a closed descriptor: /,
    calls: [closed((socket) => socket.dup())],
  },
];
