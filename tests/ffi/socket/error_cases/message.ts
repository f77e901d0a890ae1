import {
  AF_UNIX,
  type Credentials,
  receiveMessage,
  sendMessage,
  SOL_SOCKET,
} from "../../../../ffi/socket/mod.ts";
import { Descriptor } from "../../../support/descriptors.ts";
import {
  BYTES,
  closed,
  connected,
  type ErrorCase,
  NOT_INTEGERS,
  withDatagrams,
} from "../../../support/error_cases.ts";
import { isWindows } from "../../../support/os.ts";
import { names } from "../../../support/platform.ts";
import { needsRaw } from "../../../support/privileges.ts";
import { linuxOnly, skipIf } from "../../../support/skip.ts";
import { needsUnix } from "../../../support/sockets.ts";

/** Credentials with the id of this process. */
const own: Credentials = { pid: Deno.pid, uid: 0, gid: 0 };

export const messageErrors: readonly ErrorCase[] = [
  {
    name: "sendMessage() and receiveMessage() throw TypeError when a buffer is not a Uint8Array",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: [undefined, null, "text", 4, {}, new ArrayBuffer(4), [1], [BYTES, "text"], [undefined]]
      .flatMap((value) => [
        connected((socket) => sendMessage(socket, value as never)),
        connected((socket) => receiveMessage(socket, value as never)),
      ]),
  },
  {
    name: "sendMessage() and receiveMessage() throw RangeError when an option is not an integer",
    error: RangeError,
    message:
      /^Cannot (send|receive) a message: (the flags|its descriptors|the controlSize) must be an integer /,
    calls: NOT_INTEGERS.flatMap((value) => [
      connected((socket) => sendMessage(socket, BYTES, { flags: value as never })),
      connected((socket) => receiveMessage(socket, BYTES, { flags: value as never })),
      connected((socket) => receiveMessage(socket, BYTES, { descriptors: value as never })),
      connected((socket) => receiveMessage(socket, BYTES, { controlSize: value as never })),
    ]),
  },
  {
    name: "receiveMessage() throws RangeError when an option is out of range",
    error: RangeError,
    message:
      /^Cannot receive a message: (its descriptors|the controlSize) must be an integer from 0 to /,
    calls: [{ descriptors: -1 }, { controlSize: -1 }, { descriptors: 254 }].map((options) =>
      connected((socket) => receiveMessage(socket, BYTES, options))
    ),
  },
  {
    name:
      "sendMessage() throws TypeError when a descriptor is neither a number nor an object with one",
    error: TypeError,
    message: /^Cannot send a descriptor: the file('s| must be a number or have a) fileno\(\) /,
    calls: [null, undefined, "3", 3n, {}, { fileno: () => "3" }].map((value) =>
      connected((socket) => sendMessage(socket, BYTES, { descriptors: [value as never] }))
    ),
  },
  {
    name: "sendMessage() throws RangeError when a descriptor is closed or out of range",
    error: RangeError,
    message:
      /^Cannot send a descriptor: the (descriptor must be an integer from 0 to |Object is closed)/,
    calls: [-1, 1.5, NaN, 2 ** 31, { fileno: () => -1 }].map((value) =>
      connected((socket) => sendMessage(socket, BYTES, { descriptors: [value] }))
    ),
  },
  {
    name: "sendMessage() throws OSError when a descriptor was closed elsewhere",
    ...skipIf(isWindows, "Windows has no SCM_RIGHTS"),
    error: ["EBADF", names.sendmsg],
    message: /^Cannot send on fd \d+: /,
    calls: [connected((socket) => {
      using copy = Descriptor.dupHigh(socket.fileno());
      copy.close();
      sendMessage(socket, BYTES, { descriptors: [socket, copy.fd] });
    })],
  },
  {
    name: "sendMessage() throws OSError when there are too many descriptors",
    error: ["EINVAL", names.sendmsg],
    message: /^Cannot send on fd \d+: /,
    calls: [connected((socket) => {
      sendMessage(socket, BYTES, { descriptors: Array(254).fill(socket) });
    })],
    ...linuxOnly,
  },
  {
    name: "sendMessage() throws OSError when there are too many buffers",
    error: ["EMSGSIZE", names.sendmsg],
    message: /^Cannot send on fd \d+: /,
    calls: [connected((socket) => sendMessage(socket, Array(1025).fill(BYTES)))],
    ...linuxOnly,
  },
  {
    name: "sendMessage() throws RangeError when credentials are out of range",
    error: RangeError,
    message:
      /^Cannot send credentials: their (pid|uid|gid) must be an integer from 0 to 4294967295/,
    calls: [-1, 1.5, NaN, 2 ** 32, "0", undefined].flatMap((value) =>
      ["pid", "uid", "gid"].map((name) =>
        connected((socket) =>
          sendMessage(socket, BYTES, { credentials: { ...own, [name]: value as never } })
        )
      )
    ),
    ...linuxOnly,
  },
  {
    name: "sendMessage() throws OSError when the process of the credentials does not exist",
    error: ["ESRCH", names.sendmsg],
    message: /^Cannot send on fd \d+: /,
    calls: [connected((socket) => {
      sendMessage(socket, BYTES, { credentials: { ...own, pid: 0x7fff_fff0 } });
    })],
    ...needsRaw,
  },
  {
    name: "sendMessage() throws TypeError when control data is not a Uint8Array",
    error: TypeError,
    message: /^Cannot send a control message: its data must be a Uint8Array, received /,
    calls: [undefined, "text", 4, new ArrayBuffer(4)].map((data) =>
      connected((socket) =>
        sendMessage(socket, BYTES, { control: [{ level: 1, type: 1, data: data as never }] })
      )
    ),
  },
  {
    name:
      "sendMessage() throws RangeError when a control message's level or type is not an integer",
    error: RangeError,
    message: /^Cannot send a control message: its (level|type) must be an integer from /,
    calls: NOT_INTEGERS.flatMap((value) => [
      connected((socket) =>
        sendMessage(socket, BYTES, { control: [{ level: value as never, type: 1, data: BYTES }] })
      ),
      connected((socket) =>
        sendMessage(socket, BYTES, { control: [{ level: 1, type: value as never, data: BYTES }] })
      ),
    ]),
  },
  {
    name: "sendMessage() throws OSError when the system does not know the control message",
    error: ["EINVAL", names.sendmsg],
    message: /^Cannot send on fd \d+: /,
    calls: [connected((socket) => {
      sendMessage(socket, BYTES, { control: [{ level: SOL_SOCKET, type: 12345, data: BYTES }] });
    })],
    ...linuxOnly,
  },
  {
    name: "sendMessage() throws TypeError when the address is of another family",
    ...needsUnix,
    error: TypeError,
    message: /^Cannot use (a path|a hostname|an interface) as the address of a socket of family /,
    calls: [
      withDatagrams((socket) => sendMessage(socket, BYTES, { address: { path: "/tmp/socket" } })),
      withDatagrams(
        (socket) => sendMessage(socket, BYTES, { address: { hostname: "::1", port: 1 } }),
        AF_UNIX,
      ),
      withDatagrams((socket) =>
        sendMessage(socket, BYTES, { address: { interface: 1, protocol: 1 } as never })
      ),
    ],
  },
  {
    name: "sendMessage() throws OSError when the name cannot be resolved",
    error: ["EAI_NONAME", "getaddrinfo"],
    message: /^Cannot resolve "": /,
    calls: [
      withDatagrams((socket) => sendMessage(socket, BYTES, { address: { hostname: "", port: 1 } })),
    ],
  },
  {
    name: "sendMessage() throws RangeError when the port is out of range",
    error: RangeError,
    message: /^Cannot use an address: its port must be an integer from 0 to 65535, received /,
    calls: [-1, 65_536, 1.5].map((port) =>
      withDatagrams((socket) =>
        sendMessage(socket, BYTES, { address: { hostname: "127.0.0.1", port } })
      )
    ),
  },
  {
    name: "sendMessage() throws OSError when the datagram is too long",
    error: ["EMSGSIZE", names.sendmsg],
    message: /^Cannot send to 127\.0\.0\.1:9 on fd \d+: /,
    calls: [withDatagrams((socket) => {
      const data = [new Uint8Array(40_000), new Uint8Array(30_000)];
      sendMessage(socket, data, { address: { hostname: "127.0.0.1", port: 9 } });
    })],
  },
  {
    name: "sendMessage() throws OSError when the socket is closed",
    error: ["EBADF", names.sendmsg],
    message: /^Cannot send on a closed descriptor: /,
    calls: [closed((socket) => sendMessage(socket, BYTES))],
  },
  {
    name: "receiveMessage() throws OSError when the socket is closed",
    error: ["EBADF", names.recvmsg],
    message: /^Cannot receive on a closed descriptor: /,
    calls: [closed((socket) => receiveMessage(socket, BYTES, { descriptors: 3 }))],
  },
];
