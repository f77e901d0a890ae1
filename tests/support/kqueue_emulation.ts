import { type Skip, skipIf } from "./skip.ts";

/** The path of a kqueue emulation library, if there is one. */
export const emulation: string | undefined = Deno.env.get("LIBKQUEUE");

/** Skips a test over that library where its path is not set. */
export const needsEmulation: Skip = skipIf(
  emulation === undefined,
  "LIBKQUEUE is not set to the path of a kqueue emulation library",
);
