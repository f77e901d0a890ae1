/**
 * The numbers of sockets on a CAN bus. Each is `undefined` on systems other than Linux.
 *
 * @module
 */

import type { CanBus } from "../abi/abi.ts";
import { abi, NOTHING } from "../abi/mod.ts";

const constants = (abi.canBus?.constants ?? NOTHING) as CanBus["constants"];

/**
 * Protocol of a CAN socket: raw frames.
 *
 * @category CAN constants
 */
export const CAN_RAW: number = constants.CAN_RAW;

/**
 * Bit of a frame's identifier: it has 29 bits instead of 11.
 *
 * @category CAN constants
 */
export const CAN_EFF_FLAG: number = constants.CAN_EFF_FLAG;

/**
 * Bit of a frame's identifier: a request for data.
 *
 * @category CAN constants
 */
export const CAN_RTR_FLAG: number = constants.CAN_RTR_FLAG;

/**
 * Bit of a frame's identifier: an error of the bus.
 *
 * @category CAN constants
 */
export const CAN_ERR_FLAG: number = constants.CAN_ERR_FLAG;

/**
 * Option level: raw CAN sockets.
 *
 * @category CAN constants
 */
export const SOL_CAN_RAW: number = constants.SOL_CAN_RAW;

/**
 * Which frames the socket receives: an array of `struct can_filter`.
 *
 * @category CAN constants
 */
export const CAN_RAW_FILTER: number = constants.CAN_RAW_FILTER;

/**
 * Whether other sockets of this host receive the frames that the socket sends.
 *
 * @category CAN constants
 */
export const CAN_RAW_LOOPBACK: number = constants.CAN_RAW_LOOPBACK;

/**
 * Whether the socket receives the frames that it sends.
 *
 * @category CAN constants
 */
export const CAN_RAW_RECV_OWN_MSGS: number = constants.CAN_RAW_RECV_OWN_MSGS;
