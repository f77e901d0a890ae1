import { Capture } from "../../examples/support/libpcap.ts";
import { isQemu, isWindows } from "../support/os.ts";
import { needs, type Skip, skipIf } from "../support/skip.ts";

/** Skips a test that uses libpcap. */
export const needsPcap: Skip = {
  ...needs("libpcap", hasLibpcap()),
  ...skipIf(isWindows || isQemu, "libpcap has no descriptor, or packets cannot be had"),
};

function hasLibpcap(): boolean {
  try {
    Capture.read("/dev/null");
    return true;
  } catch (error) {
    return !(error as Error).message.startsWith("Cannot open libpcap");
  }
}
