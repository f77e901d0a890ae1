import { abi } from "../abi/mod.ts";
import { assertBytes, assertInteger } from "../checks.ts";
import { getField, setField } from "./fields.ts";

const { SOL_SOCKET } = abi.constants;

/**
 * A control message: ancillary data that goes with the bytes of a message.
 *
 * @category Messages
 */
export interface ControlMessage {
  /** The level: `SOL_SOCKET`, `IPPROTO_IP`, … */
  readonly level: number;
  /** The type: `IP_TTL`, `SO_RXQ_OVFL`, … */
  readonly type: number;
  /** The bytes: usually a C `int` or a structure. */
  readonly data: Uint8Array;
}

/**
 * The credentials of a process.
 *
 * @category Messages
 */
export interface Credentials {
  /** The process id. */
  readonly pid: number;
  /** The user id. */
  readonly uid: number;
  /** The group id. */
  readonly gid: number;
}

/** Decoded control data: open descriptors, a `struct ucred`, and all other control messages. */
interface Control {
  readonly descriptors: number[];
  readonly credentials: Uint8Array<ArrayBuffer> | null;
  readonly others: ControlMessage[];
}

/** Encodes control data as a sequence of `struct cmsghdr`, in an `ArrayBuffer` of its own. */
export function encodeControl(given: readonly ControlMessage[]): Uint8Array<ArrayBuffer> {
  const { cmsghdr: { fields }, constants: { "CMSG_LEN(0)": header } } = abi.messages!;
  const messages = given.map(({ level, type, data }) => ({ level, type, data }));
  for (const { level, type, data } of messages) {
    assertInteger("Cannot send a control message: its level", level);
    assertInteger("Cannot send a control message: its type", type);
    assertBytes("Cannot send a control message: its data", data);
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
 * Decodes control data. A truncated control message, whose header may state more bytes than there
 * are, is decoded as far as it goes, so that no descriptor is lost.
 */
export function decodeControl(bytes: Uint8Array<ArrayBuffer>): Control {
  if (bytes.length === 0) return { descriptors: [], credentials: null, others: [] };
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

/** Returns the room that a control message of a length takes: C's `CMSG_SPACE`. */
export function spaceFor(length: number): number {
  const { "CMSG_LEN(0)": header, "CMSG_SPACE(1)": one } = abi.messages!.constants;
  const alignment = one - header;
  return header + Math.ceil(length / alignment) * alignment;
}

/** Encodes credentials as a `struct ucred`. */
export function encodeCredentials(credentials: Credentials): Uint8Array<ArrayBuffer> {
  const { fields, size } = abi.credentials!.ucred;
  const view = new DataView(new ArrayBuffer(size));
  for (const name of ["pid", "uid", "gid"] as const) {
    const value = credentials[name];
    assertInteger(`Cannot send credentials: their ${name}`, value, 0, 0xffff_ffff);
    setField(view, 0, fields[name], value);
  }
  return new Uint8Array(view.buffer);
}

/** Decodes a `struct ucred`. */
export function decodeCredentials(bytes: Uint8Array<ArrayBuffer>): Credentials {
  const { fields } = abi.credentials!.ucred;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    pid: getField(view, 0, fields.pid),
    uid: getField(view, 0, fields.uid),
    gid: getField(view, 0, fields.gid),
  };
}
