import { fileURLToPath } from "node:url";
import { isWindows } from "./os.ts";

/**
 * Waits until no other test has thousands of descriptors open, and keeps others from that until the
 * end of a `using` block. Test files run in parallel in one process: some together would take all
 * the descriptors that it may open, or numbers that must stay free.
 */
export async function reserveDescriptors(): Promise<Disposable> {
  const file = await Deno.open(fileURLToPath(import.meta.url));
  // On Windows files run one by one, and nothing could read a locked one.
  if (!isWindows) await file.lock(true);
  return file;
}
