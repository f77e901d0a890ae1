import { forgetDescriptor } from "./reactor.ts";

/** Something that holds descriptors. */
export interface Closable {
  close(): void;
}

/** Makes the reactor forget a descriptor before its holder closes it. */
export function announced(fd: number, holder: Closable): Closable {
  return {
    close() {
      forgetDescriptor(fd);
      holder.close();
    },
  };
}

/** Closes the descriptors of selectors that were garbage-collected without `close()`. */
export const dropped: FinalizationRegistry<readonly Closable[]> = new FinalizationRegistry(
  (holders) => {
    try {
      closeAll(holders);
    } catch {
      // No caller is left to see the error.
    }
  },
);

/** Closes all, and throws the first error. */
export function closeAll(holders: readonly Closable[]): void {
  let failure: unknown;
  for (const holder of holders) {
    try {
      holder.close();
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}
