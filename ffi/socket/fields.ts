import type { Field } from "../abi/abi.ts";

/** Writes a field of a C structure: two, four or eight bytes. */
export function setField(
  view: DataView,
  at: number,
  [offset, width]: Field,
  value: number | bigint,
): void {
  if (width === 8) view.setBigUint64(at + offset, BigInt(value), true);
  else if (width === 4) view.setUint32(at + offset, Number(value), true);
  else view.setUint16(at + offset, Number(value), true);
}

/** Reads a field of a C structure, an unsigned number of one, two, four or eight bytes. */
export function getField(view: DataView, at: number, [offset, width]: Field): number {
  if (width === 8) return Number(view.getBigUint64(at + offset, true));
  if (width === 4) return view.getUint32(at + offset, true);
  return width === 2 ? view.getUint16(at + offset, true) : view.getUint8(at + offset);
}
