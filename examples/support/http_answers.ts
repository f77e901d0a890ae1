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

/** An answer. Its bytes are made once, and again when the date has changed. */
export class Answer {
  /** Such as `200 OK`. */
  readonly status: string;
  readonly body: string | number;
  readonly isLast: boolean;
  readonly #fields: readonly string[];
  #date = "";
  readonly #heads = new Map<Connection, Uint8Array<ArrayBuffer>>();
  readonly #wholes = new Map<Connection, Uint8Array<ArrayBuffer>>();

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
   * @param connection The `Connection` field, if there should be one
   * @param hasBody Whether the body follows the head, if it is a text
   */
  bytes(date: string, connection: Connection, hasBody: boolean): Uint8Array<ArrayBuffer> {
    if (date !== this.#date) {
      this.#date = date;
      this.#heads.clear();
      this.#wholes.clear();
    }
    const prepared = hasBody ? this.#wholes : this.#heads;
    let bytes = prepared.get(connection);
    if (bytes === undefined) {
      bytes = encoder.encode(this.#text(connection, hasBody));
      prepared.set(connection, bytes);
    }
    return bytes;
  }

  #text(connection: Connection, hasBody: boolean): string {
    const { status, body } = this;
    const lines = [
      `HTTP/1.1 ${status}`,
      `Content-Length: ${typeof body === "number" ? body : body.length}`,
      this.#date,
      ...connection === "" ? [] : [`Connection: ${connection}`],
      ...this.#fields,
    ];
    return `${lines.join("\r\n")}\r\n\r\n${hasBody && typeof body === "string" ? body : ""}`;
  }
}
