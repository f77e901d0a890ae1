import { needs, type Skip } from "./skip.ts";

/** Skips a test that runs OpenBSD's netcat: others have no `-N`, which half-closes. */
export const needsNc: Skip = needs("nc of OpenBSD", isOpenBsd());

function isOpenBsd(): boolean {
  try {
    const { stdout, stderr } = new Deno.Command("nc", { args: ["-h"], stdin: "null" }).outputSync();
    return [stdout, stderr].some((help) => /-N\s+Shutdown/.test(new TextDecoder().decode(help)));
  } catch {
    return false;
  }
}
