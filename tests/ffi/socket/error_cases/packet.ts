import {
  AF_PACKET,
  ETH_P_IP,
  type PacketAddress,
  SOCK_DGRAM,
  Socket,
} from "../../../../ffi/socket/mod.ts";
import { BYTES, type ErrorCase, withDatagrams } from "../../../support/error_cases.ts";
import { needsRaw } from "../../../support/privileges.ts";

/** Calls a function with a packet socket. */
function packets(call: (socket: Socket<PacketAddress>) => unknown): () => unknown {
  return () => {
    using socket = new Socket<PacketAddress>(AF_PACKET, SOCK_DGRAM);
    return call(socket);
  };
}

export const packetErrors: readonly ErrorCase[] = [
  {
    name: "Socket throws RangeError when a packet address is out of range",
    error: RangeError,
    message: /^Cannot use an address: its (interface|protocol|hardwareAddress) must be /,
    calls: [
      { interface: -1, protocol: 1 },
      { interface: 1.5, protocol: 1 },
      { interface: NaN, protocol: 1 },
      { interface: 2 ** 31, protocol: 1 },
      { interface: 1, protocol: -1 },
      { interface: 1, protocol: 65_536 },
      { interface: 1, protocol: "1" },
      { interface: 1 },
      { interface: 1, protocol: 1, hardwareAddress: "nonsense" },
      { interface: 1, protocol: 1, hardwareAddress: "02:00:" },
      { interface: 1, protocol: 1, hardwareAddress: "1:2:3:4:5:6:7:8:9" },
      { interface: 1, protocol: 1, hardwareAddress: "100:2" },
    ].flatMap((address) => [
      packets((socket) => socket.bind(address as PacketAddress)),
      packets((socket) => socket.sendTo(BYTES, address as PacketAddress)),
    ]),
    ...needsRaw,
  },
  {
    name: "Socket throws TypeError when the hardware address is not a string",
    error: TypeError,
    message: /^Cannot use an address: its hardwareAddress must be a string, received /,
    calls: [
      packets((socket) => socket.bind({ interface: 1, protocol: 1, hardwareAddress: 5 as never })),
    ],
    ...needsRaw,
  },
  {
    name:
      "Socket throws TypeError when a packet socket gets another address, or another socket a packet address",
    error: TypeError,
    message:
      /^Cannot use (an interface|a hostname|a path) as the address of a socket of family \d+$/,
    calls: [
      packets((socket) => socket.bind({ hostname: "127.0.0.1", port: 1 } as never)),
      packets((socket) => socket.bind({ path: "/tmp/socket" } as never)),
      withDatagrams((socket) => socket.bind({ interface: 1, protocol: 3 } as never)),
    ],
    ...needsRaw,
  },
  {
    name: "Socket.bind() throws OSError when no interface has the index",
    error: ["ENODEV", "bind"],
    message: /^Cannot bind fd \d+ to interface 54321: /,
    calls: [packets((socket) => socket.bind({ interface: 54_321, protocol: ETH_P_IP }))],
    ...needsRaw,
  },
];
