import { abi } from "../abi/host.ts";
import { getField, setField } from "./message_header.ts";
import { assertInteger } from "./socket.ts";

const { SOL_SOCKET } = abi.constants;

/** A piece of control data. */
export interface ControlMessage {
  /** Whose it is: `SOL_SOCKET`, `IPPROTO_IP`, … */
  readonly level: number;
  /** What it is: `IP_TTL`, `SO_RXQ_OVFL`, … */
  readonly type: number;
  /** Its bytes: mostly a C `int` or a structure. */
  readonly data: Uint8Array;
}

/** Who a process is. */
export interface Credentials {
  /** The process. */
  readonly pid: number;
  /** Its user. */
  readonly uid: number;
  /** Its group. */
  readonly gid: number;
}

/** What control data holds: open descriptors, a `struct ucred`, and the rest. */
interface Control {
  readonly descriptors: number[];
  readonly credentials: Uint8Array<ArrayBuffer> | null;
  readonly others: ControlMessage[];
}

/** Writes control data as C's `struct cmsghdr`s, in an `ArrayBuffer` of its own. */
export function encodeControl(messages: readonly ControlMessage[]): Uint8Array<ArrayBuffer> {
  const { cmsghdr: { fields }, constants: { "CMSG_LEN(0)": header } } = abi.messages!;
  for (const { level, type, data } of messages) {
    assertInteger("a control message's level", level);
    assertInteger("a control message's type", type);
    if (!(data instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot use a control message: its data must be a Uint8Array, received ${String(data)}`,
      );
    }
  }
  const size = messages.reduce((sum, { data }) => sum + spaceFor(data.length), 0);
  const bytes = new Uint8Array(new ArrayBuffer(size));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { level, type, data } of messages) {
    setField(view, at, fields.cmsg_len, header + data.length);
    setField(view, at, fields.cmsg_level, level);
    setField(view, at, fields.cmsg_type, type);
    bytes.set(data, at + header);
    at += spaceFor(data.length);
  }
  return bytes;
}

/**
 * Reads control data. What is cut, or says that it is longer than there are bytes, is read as far as
 * it is there, so that no descriptor is lost.
 */
export function decodeControl(bytes: Uint8Array<ArrayBuffer>): Control {
  const { cmsghdr: { fields, size }, constants: { "CMSG_LEN(0)": header, SCM_RIGHTS } } = abi
    .messages!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const descriptors: number[] = [];
  const others: ControlMessage[] = [];
  let credentials: Uint8Array<ArrayBuffer> | null = null;
  for (let at = 0; at + size <= bytes.length;) {
    const length = getField(view, at, fields.cmsg_len);
    if (length < header) break;
    const level = getField(view, at, fields.cmsg_level) | 0;
    const type = getField(view, at, fields.cmsg_type) | 0;
    const data = bytes.slice(at + header, Math.min(at + length, bytes.length));
    if (level === SOL_SOCKET && type === SCM_RIGHTS) {
      descriptors.push(...new Int32Array(data.buffer, 0, data.length >> 2));
    } else if (
      level === SOL_SOCKET && type === abi.credentials?.constants.SCM_CREDENTIALS &&
      data.length >= abi.credentials.ucred.size
    ) credentials = data;
    else others.push({ level, type, data });
    at += spaceFor(length - header);
  }
  return { descriptors, credentials, others };
}

/** How much room a piece of control data takes: C's `CMSG_SPACE`. */
export function spaceFor(length: number): number {
  const { "CMSG_LEN(0)": header, "CMSG_SPACE(1)": one } = abi.messages!.constants;
  const alignment = one - header;
  return header + Math.ceil(length / alignment) * alignment;
}

/** Writes credentials in C's form. */
export function encodeCredentials(credentials: Credentials): Uint8Array<ArrayBuffer> {
  const { fields, size } = abi.credentials!.ucred;
  const view = new DataView(new ArrayBuffer(size));
  for (const name of ["pid", "uid", "gid"] as const) {
    const value = credentials[name];
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
      throw new RangeError(
        `Cannot use credentials: their ${name} must be an integer from 0 to ${0xffff_ffff}, ` +
          `received ${String(value)}`,
      );
    }
    setField(view, 0, fields[name], value);
  }
  return new Uint8Array(view.buffer);
}

/** Reads credentials in C's form. */
export function decodeCredentials(bytes: Uint8Array<ArrayBuffer>): Credentials {
  const { fields } = abi.credentials!.ucred;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    pid: getField(view, 0, fields.pid),
    uid: getField(view, 0, fields.uid),
    gid: getField(view, 0, fields.gid),
  };
}
