/**
 * A tunnel over UDP between two hosts, through a TUN device: what one host sends to its device
 * comes out of the other's.
 *
 * It shows a device that is opened by its path and controlled with `ioctl()`
 * (`support/tun_device.ts`); an async function for each direction; requests to the system's network
 * configuration (`support/link_setup.ts`); and errors of single packets, after which it goes on.
 *
 *     sudo deno run --allow-ffi jsr:@readiness/selectors/tun --address 10.7.0.1/24 \
 *       --listen 192.0.2.1:5555 --peer 192.0.2.2:5555
 *
 * It needs Linux, and CAP_NET_ADMIN or a device that was created for its user.
 *
 * @module
 */

import { OSError, whenReadable, whenWritable } from "@readiness/selectors";
import {
  type InternetAddress,
  SO_RCVBUF,
  SOCK_DGRAM,
  Socket,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import {
  familyOf,
  formatAddress,
  lookUp,
  parseAddress,
  parseRemoteAddress,
} from "./support/addresses.ts";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  run,
} from "./support/command_line.ts";
import { makeReply } from "./support/echo_replies.ts";
import { setUpLink } from "./support/link_setup.ts";
import { parseNetwork } from "./support/networks.ts";
import { print, printable, warn } from "./support/output.ts";
import { TunDevice } from "./support/tun_device.ts";

const USAGE = `Usage: tun.ts [OPTIONS] --peer HOST:PORT
       tun.ts [OPTIONS] --reply

Makes a tunnel over UDP to another host that also runs it, until it is interrupted (Ctrl-C): each
host sends the IP packets of its device to the other. It neither encrypts nor authenticates them.

Options:
  --peer HOST:PORT    the address of the other end
  --listen HOST:PORT  the address here, to which the other end sends (127.0.0.1:5555)
  --reply             answer every ping that is routed to the device, instead of making a tunnel
  --name NAME         the device; %d becomes the first number that is free (tun%d)
  --address ADDR/LEN  give the device this address, such as 10.7.0.1/24, and set it up; may be
                      repeated. Without it, use ip(8)
  --mtu BYTES         its largest packet, when it is set up (1400)
  -h, --help          show this and exit

It needs Linux, and CAP_NET_ADMIN: run it as root. Or create a device for your user as root, and
give its name: ip tuntap add dev tun0 mode tun user USER.`;

/** More than any packet. */
const ROOM = 1 << 16;

/** The receive buffer in bytes; the system may give less (net.core.rmem_max). */
const BUFFER = 4 << 20;

/** Counts packets that are lost, and prints each reason once. */
class Losses {
  lost = 0;
  readonly #reasons = new Set<string>();

  /** Passes a packet on, as soon as there is room. Returns whether the system has taken it. */
  async survive(pass: () => Promise<number>): Promise<boolean> {
    try {
      await pass();
      return true;
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      this.lost++;
      if (!this.#reasons.has(error.message)) warn(`${error.message}; packets are lost`);
      this.#reasons.add(error.message);
      return false;
    }
  }
}

run(async () => {
  const { values: options } = parseCommandLine(USAGE, {
    peer: { type: "string" },
    listen: { type: "string", default: "127.0.0.1:5555" },
    reply: { type: "boolean", default: false },
    name: { type: "string", default: "tun%d" },
    address: { type: "string", multiple: true, default: [] },
    mtu: { type: "string", default: "1400" },
  });
  if ((options.peer === undefined) === !options.reply) {
    exitWith(2, "There must be either --peer or --reply", USAGE);
  }
  const networks = options.address.map(parseNetwork);
  const mtu = parseInteger("mtu", options.mtu, 68, 65_535);
  const listen = parseAddress(options.listen);
  const peer = options.peer === undefined ? undefined : parseRemoteAddress(options.peer);
  const interrupted = interruption();
  using device = TunDevice.create(options.name);
  using socket = peer === undefined ? null : connect(listen, peer);
  if (networks.length > 0) await setUpLink(device.name, networks, mtu);
  try {
    if (socket === null) await reply(device, interrupted);
    else await tunnel(device, socket, interrupted);
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
});

/** Makes a socket that sends to the other end, and receives from there alone. */
function connect(listen: InternetAddress, peer: InternetAddress): Socket<InternetAddress> {
  const address = lookUp(peer);
  const socket = new Socket<InternetAddress>(familyOf(address.hostname), SOCK_DGRAM);
  socket.setOption(SOL_SOCKET, SO_RCVBUF, BUFFER);
  socket.bind(listen);
  socket.connect(address);
  return socket;
}

async function tunnel(
  device: TunDevice,
  socket: Socket<InternetAddress>,
  interrupted: AbortSignal,
): Promise<void> {
  const options = { signal: interrupted };
  const losses = new Losses();
  let [sent, received] = [0, 0];
  const here = formatAddress(socket.localAddress);
  const there = formatAddress(socket.remoteAddress);
  print(`listening on ${here} for ${printable(device.name)} (peer ${there})`);
  try {
    await Promise.all([send(), receive()]);
  } finally {
    print(`${sent} packets sent, ${received} received, ${losses.lost} lost`);
  }

  async function send(): Promise<never> {
    const buffer = new Uint8Array(ROOM);
    for (;;) {
      const size = await whenReadable(device, () => device.read(buffer), options);
      const packet = buffer.subarray(0, size);
      const pass = () => whenWritable(socket, () => socket.send(packet), options);
      if (await losses.survive(pass)) sent++;
    }
  }

  async function receive(): Promise<never> {
    const buffer = new Uint8Array(ROOM);
    for (;;) {
      let size = 0;
      const arrival = () => whenReadable(socket, () => socket.recv(buffer), options);
      // An error here is of a packet that was sent, such as when the other end does not run.
      if (!await losses.survive(async () => size = await arrival())) continue;
      const packet = buffer.subarray(0, size);
      const pass = () => whenWritable(device, () => device.write(packet), options);
      if (await losses.survive(pass)) received++;
    }
  }
}

/** Answers pings. */
async function reply(device: TunDevice, interrupted: AbortSignal): Promise<void> {
  const options = { signal: interrupted };
  const losses = new Losses();
  const buffer = new Uint8Array(ROOM);
  let [answered, others] = [0, 0];
  print(`answering pings on ${printable(device.name)}`);
  try {
    for (;;) {
      const size = await whenReadable(device, () => device.read(buffer), options);
      const packet = buffer.subarray(0, size);
      if (!makeReply(packet)) others++;
      else if (
        await losses.survive(() => whenWritable(device, () => device.write(packet), options))
      ) answered++;
    }
  } finally {
    print(`${answered} pings answered, ${others} other packets, ${losses.lost} lost`);
  }
}
