/**
 * The origins of queued errors: the field `ee_origin` of a `struct sock_extended_err`, which
 * control data of type `IP_RECVERR` begins with. Each is `undefined` on systems other than Linux.
 *
 * @module
 */

import type { ErrorQueue } from "../abi/abi.ts";
import { abi, NOTHING } from "../abi/mod.ts";

const constants = (abi.errorQueue?.constants ?? NOTHING) as ErrorQueue["constants"];

/**
 * Origin of an error: none.
 *
 * @category Error queue constants
 */
export const SO_EE_ORIGIN_NONE: number = constants.SO_EE_ORIGIN_NONE;

/**
 * Origin of an error: this host.
 *
 * @category Error queue constants
 */
export const SO_EE_ORIGIN_LOCAL: number = constants.SO_EE_ORIGIN_LOCAL;

/**
 * Origin of an error: ICMP.
 *
 * @category Error queue constants
 */
export const SO_EE_ORIGIN_ICMP: number = constants.SO_EE_ORIGIN_ICMP;

/**
 * Origin of an error: ICMPv6.
 *
 * @category Error queue constants
 */
export const SO_EE_ORIGIN_ICMP6: number = constants.SO_EE_ORIGIN_ICMP6;

/**
 * Not an error, but the time of a sent packet.
 *
 * @category Error queue constants
 */
export const SO_EE_ORIGIN_TIMESTAMPING: number = constants.SO_EE_ORIGIN_TIMESTAMPING;

/**
 * Not an error, but the end of a transfer without copying.
 *
 * @category Error queue constants
 */
export const SO_EE_ORIGIN_ZEROCOPY: number = constants.SO_EE_ORIGIN_ZEROCOPY;
