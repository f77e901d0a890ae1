const root = new URL("../../", import.meta.url);

const PRELUDE = `
  import * as selectors from "${new URL("mod.ts", root)}";
  import * as sockets from "${new URL("ffi/socket/mod.ts", root)}";
  import * as descriptors from "${new URL("ffi/fd/mod.ts", root)}";
  const { EVENT_READ, EVENT_WRITE } = selectors;
`.replaceAll("\n", " ");

/**
 * Defines `countDescriptors()` in such a program. Deno opens two sockets when it first listens for
 * a signal, which it does by itself half a second after it starts: here it does so before any
 * count. On Windows only sockets are counted, as the package opens nothing else.
 */
export const COUNT_DESCRIPTORS = Deno.build.os === "windows"
  ? `
  Deno.addSignalListener("SIGBREAK", () => {});
  const { getsockopt } = Deno.dlopen("ws2_32.dll", {
    getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  }).symbols;
  const { SOL_SOCKET, SO_TYPE } = sockets;
  const isSocket = (fd) =>
    getsockopt(fd, SOL_SOCKET, SO_TYPE, new Int32Array(1), new Int32Array([4])) === 0;
  const countDescriptors = () => {
    let count = 0;
    for (let fd = 4; fd < 10_000; fd += 4) if (isSocket(fd)) count++;
    return count;
  };
`
  : `
  Deno.addSignalListener("SIGWINCH", () => {});
  const countDescriptors = () => [...Deno.readDirSync("/dev/fd")].length;
`;

/** How a program ended, and its output. */
export interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts a TypeScript program in a process of its own, with `selectors`, `sockets` and
 * `descriptors` imported. `through` turns its command into another, which runs it elsewhere.
 */
export async function startProgram(
  source: string,
  flags: readonly string[] = ["--allow-all"],
  env: Record<string, string> = {},
  through = (command: readonly string[]): readonly string[] => command,
): Promise<Deno.ChildProcess> {
  const run = ["run", "--no-config", "--no-prompt", "--quiet", ...flags, "-"];
  const [program, ...args] = through([Deno.execPath(), ...run]);
  const child = new Deno.Command(program!, {
    args,
    // The check for updates opens sockets, which tests that count descriptors would see.
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(PRELUDE + source));
  await writer.close();
  return child;
}

/** Returns the flag with which such a program runs JavaScript before it imports the package. */
export function preload(source: string): string {
  return `--preload=data:text/javascript,${encodeURIComponent(source)}`;
}

/** Runs a TypeScript program to its end, as `startProgram` starts it. */
export async function runProgram(
  ...options: Parameters<typeof startProgram>
): Promise<Outcome> {
  const child = await startProgram(...options);
  const { code, signal, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    signal,
    stdout: decoder.decode(stdout).trim(),
    stderr: decoder.decode(stderr).trim(),
  };
}
