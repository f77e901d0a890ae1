import {
  BADVERS,
  CLASS_ANY,
  CLASS_IN,
  codeName,
  decodeHeader,
  decodeQuery,
  encodeError,
  encodeResponse,
  FORMERR,
  MalformedQuery,
  NOERROR,
  NOTIMP,
  NXDOMAIN,
  QUERY,
  type Query,
  REFUSED,
  typeName,
  TYPES,
} from "./dns_messages.ts";
import type { RecordTable } from "./dns_table.ts";

/** Transfers of whole zones. */
const TRANSFERS = [TYPES.get("AXFR"), TYPES.get("IXFR")];

/** A response, and a note about it for the log. */
export interface Answer {
  readonly response: Uint8Array<ArrayBuffer>;
  readonly note: string;
  readonly isMalformed: boolean;
}

/**
 * Answers a message.
 *
 * @param table The records
 * @param message The message, which may be anything
 * @param isDatagram Whether it came over UDP, which limits the size of the response
 * @returns The answer, or `null` if the message is not a query
 */
export function answer(
  table: RecordTable,
  message: Uint8Array,
  isDatagram: boolean,
): Answer | null {
  const header = decodeHeader(message);
  if (header === null) return null;
  if (header.opcode !== QUERY) {
    const note = `operation ${header.opcode} ${codeName(NOTIMP)}`;
    return { response: encodeError(header, NOTIMP), note, isMalformed: false };
  }
  try {
    const query = decodeQuery(message, header);
    const { name, type } = query.question;
    const { records, exists } = table.find(name, type);
    const code = refuse(query) ?? (exists ? NOERROR : NXDOMAIN);
    const response = encodeResponse(query, code, code === NOERROR ? records : [], isDatagram);
    const note = `${typeName(type)} ${name || "."} ${codeName(code)}`;
    return { response, note, isMalformed: false };
  } catch (error) {
    if (!(error instanceof MalformedQuery)) throw error;
    const note = `${codeName(FORMERR)}: ${error.message}`;
    return { response: encodeError(header, FORMERR), note, isMalformed: true };
  }
}

/** Returns the code for a query that is not looked up. */
function refuse({ question, edns }: Query): number | undefined {
  if (edns !== undefined && edns.version > 0) return BADVERS;
  const isInternet = question.class === CLASS_IN || question.class === CLASS_ANY;
  if (!isInternet || TRANSFERS.includes(question.type)) return REFUSED;
}
