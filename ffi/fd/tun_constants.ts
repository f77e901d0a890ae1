/**
 * The numbers of Linux's TUN and TAP devices, network interfaces whose packets a program reads and
 * writes. Each is `undefined` on other systems.
 *
 * @module
 */

import type { Tun } from "../abi/abi.ts";
import { abi } from "../abi/mod.ts";

const constants = (abi.tun?.constants ?? {}) as Tun["constants"];

/**
 * Request for {@linkcode ioctl} on `/dev/net/tun`: creates an interface, or attaches to one. Its
 * argument is a `struct ifreq` of 40 bytes: the name in 16 bytes, then flags of 16 bits. The system
 * writes the name that it chose back.
 *
 * @category TUN constants
 */
export const TUNSETIFF: number = constants.TUNSETIFF;

/**
 * Request for {@linkcode ioctl}: gets the name and the flags, a `struct ifreq` of 40 bytes.
 *
 * @category TUN constants
 */
export const TUNGETIFF: number = constants.TUNGETIFF;

/**
 * Request for {@linkcode ioctl}: whether the interface stays when it is closed, a number.
 *
 * @category TUN constants
 */
export const TUNSETPERSIST: number = constants.TUNSETPERSIST;

/**
 * Flag of `TUNSETIFF`: the device reads and writes IP packets.
 *
 * @category TUN constants
 */
export const IFF_TUN: number = constants.IFF_TUN;

/**
 * Flag of `TUNSETIFF`: the device reads and writes Ethernet frames.
 *
 * @category TUN constants
 */
export const IFF_TAP: number = constants.IFF_TAP;

/**
 * Flag of `TUNSETIFF`: packets do not begin with four bytes of flags and protocol.
 *
 * @category TUN constants
 */
export const IFF_NO_PI: number = constants.IFF_NO_PI;
