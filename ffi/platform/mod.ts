import { abi } from "../abi/mod.ts";
import type { Platform } from "./platform.ts";
import { posix } from "./posix.ts";
import { winsock } from "./winsock/mod.ts";

/** The calls of the running system. */
export const platform: Platform = abi.winsock === undefined ? posix : winsock;
