/**
 * What the examples print: lines without control characters, so that no peer, file or name can
 * command the terminal or forge a line of a log.
 *
 * @module
 */

/** The file name of the program, for its messages. That of a Worker is the Worker's name. */
export const program: string = Deno.mainModule?.replace(/^.*\//, "") ??
  (globalThis as { name?: string }).name ?? "";

const encoder = new TextEncoder();

/** How long to wait for room in a pipe that does not block, in milliseconds. */
const PAUSE = 10;

/** C0, C1, the separators of lines, and what turns the direction of writing around. */
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Replaces control characters with escapes such as `\x1b`. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
  });
}

/**
 * Prints a line to standard output. The program ends once its reader has gone, as other programs
 * end by SIGPIPE, which Deno ignores.
 */
export function print(line: string): void {
  write(Deno.stdout, encoder.encode(`${line}\n`));
}

/** Prints a line of information to standard error, beside the output. */
export function notice(line: string): void {
  warnText(printable(line));
}

/** Prints a warning to standard error, which begins with the name of the program. */
export function warn(message: string): void {
  notice(`${program}: ${message}`);
}

/** How long to suppress repeated warnings, in milliseconds: at a limit, each call would warn. */
const SILENCE = 10_000;

let warned = -Infinity;

/** Prints a warning about what can fail again and again, unless one was printed shortly before. */
export function warnSeldom(message: string): void {
  const now = performance.now();
  if (now - warned < SILENCE) return;
  warned = now;
  warn(message);
}

/** Prints several lines to standard error, if anybody reads them. */
export function warnText(text: string): void {
  try {
    writeAll(Deno.stderr, encoder.encode(`${text}\n`));
  } catch {
    // There is nowhere else to say it.
  }
}

/** Prints a line of a log: when it was, whom it is about, and what happened. */
export function log(peer: string, event: string): void {
  print(`${new Date().toISOString()} ${peer} ${printable(event)}`);
}

/**
 * Writes to standard output or standard error, and ends the program if that is no longer possible.
 */
export function write(stream: typeof Deno.stdout, bytes: Uint8Array): void {
  try {
    writeAll(stream, bytes);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(141); // As a shell has it after SIGPIPE.
    warn(`Cannot write the output: ${(error as Error).message}`);
    Deno.exit(1);
  }
}

function writeAll(stream: typeof Deno.stdout, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      // A process that shares it has made it non-blocking.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}
