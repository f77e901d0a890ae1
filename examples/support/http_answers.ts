/**
 * HTTP/1.1 answers.
 *
 * @module
 */

/** What the head of an answer says about the connection. */
export type Connection = "" | "keep-alive" | "close";

/** Options of an answer. */
export interface AnswerOptions {
  /** Header fields, such as `Allow: GET`. */
  fields?: readonly string[];
  /** Text in ASCII, or the size of a body of dots. */
  body?: string | number;
  /** Whether to close the connection after the answer. */
  isLast?: boolean;
}

const encoder = new TextEncoder();

/** An answer. Its bytes are made once, and again when the date or the connection calls for it. */
export class Answer {
  /** Such as `200 OK`. */
  readonly status: string;
  readonly body: string | number;
  readonly isLast: boolean;
  readonly #fields: readonly string[];
  #bytes: Uint8Array<ArrayBuffer> | null = null;
  // What the bytes were made for.
  #date = "";
  #connection: Connection = "";
  #hasBody = true;

  /** Prepares an answer with a status such as `200 OK`. */
  constructor(status: string, { fields = [], body = "", isLast = false }: AnswerOptions = {}) {
    this.status = status;
    this.body = body;
    this.isLast = isLast;
    this.#fields = fields;
  }

  /**
   * Returns the bytes of the answer, which must not be changed.
   *
   * @param date The `Date` field
   * @param connection The value of the `Connection` field, or "" for none
   * @param hasBody Whether the body follows, if it is a text
   */
  bytes(date: string, connection: Connection, hasBody: boolean): Uint8Array<ArrayBuffer> {
    if (
      this.#bytes === null || date !== this.#date || connection !== this.#connection ||
      hasBody !== this.#hasBody
    ) {
      this.#date = date;
      this.#connection = connection;
      this.#hasBody = hasBody;
      this.#bytes = encoder.encode(this.#text());
    }
    return this.#bytes;
  }

  #text(): string {
    const { status, body } = this;
    const isText = typeof body === "string";
    const lines = [
      `HTTP/1.1 ${status}`,
      `Content-Length: ${isText ? body.length : body}`,
      this.#date,
      ...this.#connection === "" ? [] : [`Connection: ${this.#connection}`],
      ...this.#fields,
    ];
    return `${lines.join("\r\n")}\r\n\r\n${this.#hasBody && isText ? body : ""}`;
  }
}
