/**
 * The origins of queued errors: the field `ee_origin` of a `struct sock_extended_err`, which
 * control data of type `IP_RECVERR` begins with. Each is `undefined` on systems other than Linux.
 *
 * @module
 */

import type { ErrorQueue } from "../abi/abi.ts";
import { abi, NOTHING } from "../abi/mod.ts";

const constants = (abi.errorQueue?.constants ?? NOTHING) as ErrorQueue["constants"];

/** Origin of an error: none. */
export const SO_EE_ORIGIN_NONE: number = constants.SO_EE_ORIGIN_NONE;

/** Origin of an error: this host. */
export const SO_EE_ORIGIN_LOCAL: number = constants.SO_EE_ORIGIN_LOCAL;

/** Origin of an error: ICMP. */
export const SO_EE_ORIGIN_ICMP: number = constants.SO_EE_ORIGIN_ICMP;

/** Origin of an error: ICMPv6. */
export const SO_EE_ORIGIN_ICMP6: number = constants.SO_EE_ORIGIN_ICMP6;

/** Not an error, but the time of a sent packet. */
export const SO_EE_ORIGIN_TIMESTAMPING: number = constants.SO_EE_ORIGIN_TIMESTAMPING;

/** Not an error, but the end of a transfer without copying. */
export const SO_EE_ORIGIN_ZEROCOPY: number = constants.SO_EE_ORIGIN_ZEROCOPY;
