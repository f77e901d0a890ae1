/**
 * A responder: see ../c/http.c.
 *
 * @module
 */

import { ANSWER_SIZE, answers } from "./http_answer.ts";
import { input, serve } from "./server.ts";

const END = new TextEncoder().encode("\r\n\r\n");

/** How many bytes of the end of a head each connection has received, by descriptor. */
const matches = new Uint8Array(1 << 16);

serve(answers, (fd, size) => {
  let matched = matches[fd]!;
  let requests = 0;
  for (let i = 0; i < size; i++) {
    const byte = input[i];
    matched = byte === END[matched] ? matched + 1 : byte === END[0] ? 1 : 0;
    if (matched < 4) continue;
    matched = 0;
    requests++;
  }
  matches[fd] = matched;
  return requests * ANSWER_SIZE;
});
