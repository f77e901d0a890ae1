/**
 * A responder that reads requests as `examples/http.ts` does. What it takes longer than `http.ts`
 * beside it is what HTTP requires of any server.
 *
 * @module
 */

import { RequestReader } from "../../../examples/support/http_requests.ts";
import { ANSWER_SIZE, answers } from "./http_answer.ts";
import { input, serve } from "./server.ts";

/** By descriptor. */
const readers: RequestReader[] = [];

serve(answers, (fd, size) => {
  while (readers.length <= fd) readers.push(new RequestReader());
  const reader = readers[fd]!;
  let requests = 0;
  reader.push(input, size);
  while (reader.next() !== null) requests++;
  reader.keep();
  return requests * ANSWER_SIZE;
});
