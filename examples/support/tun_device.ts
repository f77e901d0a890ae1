/**
 * TUN devices: network interfaces whose IP packets a program reads and writes (Linux).
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import {
  FileDescriptor,
  IFF_NO_PI,
  IFF_TUN,
  ioctl,
  O_RDWR,
  TUNSETIFF,
} from "@readiness/selectors/fd";
import { exitWith } from "./command_line.ts";
import { reasonOf } from "./reasons.ts";

const PATH = "/dev/net/tun";

/** The size of a `struct ifreq`, and how many of its bytes are the name. */
const REQUEST_SIZE = 40, NAME_SIZE = 16;

/** What to do about errors. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: "Load its driver as root: modprobe tun. A container needs the option --device " + PATH,
  ENODEV: "Load its driver as root: modprobe tun",
  EACCES: "Run it as root",
  EPERM: "It needs CAP_NET_ADMIN: run it as root, or as root create a device for your user: " +
    "ip tuntap add dev NAME mode tun user USER",
  EBUSY: "Another program has the device open",
  EINVAL: "Its name is not valid, or it is not a TUN device",
};

/** A TUN device, which reads and writes a packet at a time. */
export class TunDevice extends FileDescriptor {
  /** The name that the system has given it. */
  readonly name: string;

  /** Opens a device, or exits. `%d` in the name becomes the first number that is free. */
  static create(name: string): TunDevice {
    if (TUNSETIFF === undefined) {
      exitWith(1, `${Deno.build.os} does not have TUN devices: run this program on Linux`);
    }
    const bytes = new TextEncoder().encode(name);
    if (bytes.length >= NAME_SIZE || bytes.includes(0)) {
      exitWith(2, `The name must have fewer than ${NAME_SIZE} bytes, received ${name}`);
    }
    try {
      const file = FileDescriptor.open(PATH, O_RDWR);
      try {
        const request = new Uint8Array(REQUEST_SIZE);
        request.set(bytes);
        new DataView(request.buffer).setUint16(NAME_SIZE, IFF_TUN | IFF_NO_PI, true);
        ioctl(file, TUNSETIFF, request);
        const given = request.subarray(0, request.indexOf(0));
        return new TunDevice(
          file.detach(),
          new TextDecoder("utf-8", { ignoreBOM: true }).decode(given),
        );
      } finally {
        file.close();
      }
    } catch (error) {
      if (!(error instanceof OSError) || !(error.code in ADVICE)) throw error;
      const what = error.syscall === "open" ? PATH : `the device ${name}`;
      exitWith(1, `Cannot open ${what}: ${reasonOf(error)}\n${ADVICE[error.code]}`);
    }
  }

  private constructor(fd: number, name: string) {
    super(fd);
    this.name = name;
  }
}
