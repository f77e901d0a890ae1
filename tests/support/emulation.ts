import { type Skip, skipIf } from "./needs.ts";
import { AF_INET, SO_RXQ_OVFL, SOCK_DGRAM, Socket, SOL_SOCKET } from "../../ffi/socket/mod.ts";

/**
 * Skips a test of what qemu's emulation of a process lacks, which all of Linux has: some options, and
 * control data for which there is no room: it loses descriptors then, and its program's memory breaks.
 */
export const notEmulated: Skip = skipIf(
  Deno.build.os === "linux" && !countsDrops(),
  "qemu lacks it",
);

function countsDrops(): boolean {
  using socket = new Socket(AF_INET, SOCK_DGRAM);
  try {
    socket.setOption(SOL_SOCKET, SO_RXQ_OVFL, 1);
    return true;
  } catch {
    return false;
  }
}
