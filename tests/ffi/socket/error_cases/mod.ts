/**
 * Every error case of descriptors and sockets.
 *
 * @module
 */

import type { ErrorCase } from "../../../support/error_cases.ts";
import { fileDescriptorErrors } from "../../fd/file_descriptor_errors.ts";
import { addressErrors } from "./address.ts";
import { datagramErrors } from "./datagram.ts";
import { interfaceErrors } from "./interface.ts";
import { messageErrors } from "./message.ts";
import { multicastErrors } from "./multicast.ts";
import { optionErrors, structureErrors } from "./option.ts";
import { packetErrors } from "./packet.ts";
import { socketErrors } from "./socket.ts";
import { streamErrors } from "./stream.ts";

/** All error cases. */
export const errorCases: readonly ErrorCase[] = [
  ...fileDescriptorErrors,
  ...addressErrors,
  ...datagramErrors,
  ...interfaceErrors,
  ...messageErrors,
  ...multicastErrors,
  ...optionErrors,
  ...structureErrors,
  ...packetErrors,
  ...socketErrors,
  ...streamErrors,
];
