import { needsRoot } from "./privileges.ts";
import { needs, type Skip } from "./skip.ts";

/** Runs a Python program as another user. */
export const asNobody = (source: string, ...args: string[]) =>
  new Deno.Command("setpriv", {
    args: ["--reuid", "65534", "--clear-groups", "python3", "-c", source, ...args],
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  });

/** Skips a test that cannot run a program as another user. */
export const needsNobody: Skip = needsRoot.ignore
  ? needsRoot
  : needs("python3 for other users", asNobody("").outputSync().success);
