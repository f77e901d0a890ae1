/**
 * Descriptors as web streams.
 *
 * @module
 */

import { abi } from "../ffi/abi/mod.ts";
import { assertBytes, assertInteger, signalOf } from "../ffi/checks.ts";
import type { HasFileno } from "../ffi/descriptor.ts";
import { OSError } from "../ffi/errno.ts";
import { sendAll, type WaitOptions, whenReadable } from "./ready.ts";

const { ENOTCONN } = abi.errno;

/** The most bytes that are read at once for a reader without a buffer of its own. */
const CHUNK_SIZE = 65_536;

/** Receives those bytes, so that no stream holds memory while it waits. */
let shared: Uint8Array<ArrayBuffer> | undefined;

/**
 * Returns a stream of what a descriptor reads: a byte stream, whose readers can bring buffers of
 * their own.
 *
 * The stream reads on demand: only when a reader asks, and at most 65,536 bytes or what fits into
 * the reader's buffer. Canceling it ends a pending read at once and consumes nothing: what has not
 * been read yet can be read from the descriptor, or from a new stream. What a read that was
 * released with `releaseLock()` still reads goes to the next reader of the stream.
 *
 * The stream never closes the descriptor. Closing a `FileDescriptor` or a `Socket` fails the
 * stream, with `Deno.errors.BadResource` during a pending read and otherwise at the next one.
 *
 * A descriptor that blocks, as standard input may, blocks the event loop until there is something
 * to read: call `setBlocking(false)` first.
 *
 * @param file An object that reads, such as a `Socket` or a `FileDescriptor`. Its `read()` returns
 * the number of bytes, 0 at the end of the stream, or `null` if there is nothing to read now
 * @param options A signal that fails the stream: a pending read at once, otherwise the next one. It
 * consumes nothing
 * @returns The stream. It closes at the end of the data and fails with what `read()` throws, with
 * what {@linkcode ready} rejects with, or with the signal's reason
 * @throws {TypeError} If the signal is not an `AbortSignal`
 *
 * @example Read lines of text
 * ```ts
 * import { readableStream } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * const { reader, writer } = pipe();
 * writer.write(new TextEncoder().encode("one\ntwo"));
 * writer.close();
 * const text = readableStream(reader).pipeThrough(new TextDecoderStream());
 * assertEquals((await Array.fromAsync(text)).join("").split("\n"), ["one", "two"]);
 * reader.close();
 * ```
 *
 * @example Read exactly as many bytes as a buffer has
 * ```ts
 * import { readableStream } from "@readiness/selectors";
 * import { socketpair } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair();
 * right.send(new Uint8Array([1, 2, 3, 4, 5]));
 * const reader = readableStream(left).getReader({ mode: "byob" });
 * const { value } = await reader.read(new Uint8Array(4), { min: 4 });
 * assertEquals(value, new Uint8Array([1, 2, 3, 4]));
 * left.close();
 * right.close();
 * ```
 *
 * @example Read for a limited time
 * ```ts
 * import { readableStream } from "@readiness/selectors";
 * import { socketpair } from "@readiness/selectors/socket";
 * import { assertRejects } from "@std/assert";
 *
 * const [left, right] = socketpair();
 * const stream = readableStream(left, { signal: AbortSignal.timeout(5) }); // Milliseconds
 * await assertRejects(() => new Response(stream).text(), DOMException, "timeout");
 * left.close();
 * right.close();
 * ```
 *
 * @category One descriptor
 */
export function readableStream(
  file: HasFileno & { read(buffer: Uint8Array): number | null },
  options?: WaitOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const canceled = new AbortController();
  const signal = either(canceled.signal, signalOf("Cannot make a stream", options));
  let isFirst = true; // The reader that asked may have gone before the stream began to pull.
  let isPrompt = false;
  // A byte stream asks for nothing ahead of its reader: its high-water mark is 0.
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    type: "bytes",
    pull(controller) {
      isPrompt = !isFirst;
      isFirst = false;
      const read = () => readOnce(controller as ReadableByteStreamController);
      const done = whenReadable(file, read, { signal });
      isPrompt = false; // From now on, the stream may have another reader.
      return done;
    },
    cancel: () => canceled.abort(),
  });
  return stream;

  /** Returns `null` if there is nothing to read now. */
  function readOnce(controller: ReadableByteStreamController): null | undefined {
    const request = controller.byobRequest;
    if (request === null && !stream.locked) return undefined; // The next reader asks again.
    const buffer = request?.view as Uint8Array<ArrayBuffer> ?? sharedBuffer();
    const size = file.read(buffer);
    if (size === null) return null;
    assertInteger("Cannot read: the result of read()", size, 0, buffer.length);
    if (size === 0) {
      controller.close();
      request?.respond(0);
    } else if (request !== null && isPrompt) {
      request.respond(size);
    } else {
      // If the reader of a request has gone, its answer would not reach a reader without a buffer.
      controller.enqueue(buffer.slice(0, size));
    }
    return undefined;
  }
}

/** Returns a signal that is aborted when one of two is. */
function either(first: AbortSignal, second: AbortSignal | undefined): AbortSignal {
  return second === undefined ? first : AbortSignal.any([first, second]);
}

function sharedBuffer(): Uint8Array<ArrayBuffer> {
  return shared ??= new Uint8Array(CHUNK_SIZE);
}

/**
 * Returns a stream that writes to a descriptor: every byte of every chunk, in order.
 *
 * A chunk is written when the system has taken all of it, so a slow peer slows the producer down.
 * Aborting the stream ends a pending write at once; a part of its chunk may be written by then.
 *
 * Closing the stream shuts down the sending side of a `Socket`, whose peer then reads the end of
 * the stream. The stream never closes the descriptor: the end of a pipe has to be closed for its
 * reader to see the end.
 *
 * @param file An object that writes, such as a `Socket` or a `FileDescriptor`. Its `write()`
 * returns the number of bytes, or `null` if there is no room now. If it has a `shutdown()` method,
 * closing calls that with `"write"`
 * @param options A signal that fails the stream: a pending write at once, otherwise the next one,
 * or the attempt to close it. A part of a chunk may be written by then
 * @returns The stream. It fails with what `write()` throws, such as with `OSError` (`EPIPE`), with
 * what {@linkcode ready} rejects with, with the signal's reason, or with `TypeError` if a chunk is
 * not a `Uint8Array`
 * @throws {TypeError} If the signal is not an `AbortSignal`
 *
 * @example Send text
 * ```ts
 * import { readableStream, writableStream } from "@readiness/selectors";
 * import { socketpair } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair();
 * const sent = new Blob(["hello"]).stream().pipeTo(writableStream(left));
 * assertEquals(await new Response(readableStream(right)).text(), "hello");
 * await sent;
 * left.close();
 * right.close();
 * ```
 *
 * @category One descriptor
 */
export function writableStream(
  file: HasFileno & { write(data: Uint8Array): number | null },
  options?: WaitOptions,
): WritableStream<Uint8Array> {
  const given = signalOf("Cannot make a stream", options);
  let signal: AbortSignal;
  return new WritableStream({
    start(controller) {
      signal = either(controller.signal, given);
    },
    write(chunk) {
      assertBytes("Cannot write: the chunk", chunk);
      return sendAll(file, chunk, { signal });
    },
    close() {
      signal.throwIfAborted(); // Its peer would take this for the end of complete data.
      endSending(file);
    },
  });
}

function endSending(file: HasFileno): void {
  if (!("shutdown" in file) || typeof file.shutdown !== "function") return;
  try {
    file.shutdown("write");
  } catch (error) {
    // The peer is gone. macOS has this for a peer that has merely closed its socket.
    if (!(error instanceof OSError) || error.errno !== ENOTCONN) throw error;
  }
}
