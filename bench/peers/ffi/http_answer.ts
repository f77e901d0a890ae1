import { input } from "./server.ts";

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n" +
  "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\nHello, world!\n";

/** The size of an answer. */
export const ANSWER_SIZE = ANSWER.length;

/** As many answers as what is received at once can ask for. */
export const answers: Uint8Array<ArrayBuffer> = new TextEncoder()
  .encode(ANSWER.repeat(input.length / 4));
