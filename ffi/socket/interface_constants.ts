/**
 * The flags of network interfaces. Each is `undefined` on Windows.
 *
 * @module
 */

import type { Interfaces } from "../abi/abi.ts";
import { abi, NOTHING } from "../abi/mod.ts";

const constants = (abi.interfaces?.constants ?? NOTHING) as Interfaces["constants"];

/**
 * Flag of an interface: it is up.
 *
 * @category Network interface constants
 */
export const IFF_UP: number = constants.IFF_UP;

/**
 * Flag of an interface: it has a broadcast address.
 *
 * @category Network interface constants
 */
export const IFF_BROADCAST: number = constants.IFF_BROADCAST;

/**
 * Flag of an interface: it is the loopback.
 *
 * @category Network interface constants
 */
export const IFF_LOOPBACK: number = constants.IFF_LOOPBACK;

/**
 * Flag of an interface: it links two hosts.
 *
 * @category Network interface constants
 */
export const IFF_POINTOPOINT: number = constants.IFF_POINTOPOINT;

/**
 * Flag of an interface: its link is operational.
 *
 * @category Network interface constants
 */
export const IFF_RUNNING: number = constants.IFF_RUNNING;

/**
 * Flag of an interface: it supports multicast.
 *
 * @category Network interface constants
 */
export const IFF_MULTICAST: number = constants.IFF_MULTICAST;
