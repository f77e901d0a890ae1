import type { Abi, GrowingStruct, WindowsAbi } from "../../../ffi/abi/abi.ts";

/** One number or symbol that a table states. */
export type Fact =
  | { kind: "size"; struct: string; value: number }
  | { kind: "offset" | "width"; struct: string; field: string; value: number }
  | { kind: "constant" | "errno"; name: string; value: number }
  | { kind: "symbol" | "prototype"; call: string; value: string }
  | { kind: "counts"; call: string; value: number };

/** The parts of a table that are not facilities. */
const NOT_FACILITIES = new Set([
  "libc",
  "symbols",
  "variadicOnStack",
  "abstractPaths",
  "sendfile",
  "selectLimit",
  "structs",
  "constants",
  "errno",
]);

/** The types of `sendfile` on the systems whose name a table states. */
const SENDFILE = {
  linux: "ssize_t(int, int, off_t *, size_t)",
  darwin: "int(int, int, off_t, off_t *, struct sf_hdtr *, int)",
  freebsd: "int(int, int, off_t, size_t, struct sf_hdtr *, off_t *, int)",
};

/** The constants and structures of a facility, such as epoll. */
type Facility = { readonly constants?: { readonly [name: string]: number } } & {
  readonly [struct: string]: unknown;
};

/** A structure; one without a size grows with the versions of the system. */
type AnyStruct = GrowingStruct<never> & { readonly size?: number };

/**
 * Lists what a table states and C headers can confirm.
 *
 * @param abi The table
 * @returns Its facts
 * @throws {Error} If a constant or a structure has two rows, even if they agree
 */
export function factsOf(abi: Abi | WindowsAbi): Fact[] {
  const facts: Fact[] = [];
  for (const [call, value] of Object.entries(abi.symbols)) {
    facts.push({ kind: "symbol", call, value });
  }
  if (abi.sendfile !== undefined) {
    facts.push({ kind: "prototype", call: "sendfile", value: SENDFILE[abi.sendfile] });
  }
  addStructs(facts, Object.entries(abi.structs));
  addConstants(facts, abi.constants);
  for (const [name, facility] of Object.entries(abi)) {
    if (!NOT_FACILITIES.has(name)) addFacility(facts, facility as Facility);
  }
  for (const [name, value] of Object.entries(abi.errno)) {
    facts.push({ kind: "errno", name, value });
  }
  assertDistinct(facts);
  return facts;
}

/** Describes a fact in words. */
export function describe(fact: Fact): string {
  return `${subjectOf(fact)} ${fact.value}${hasBytes(fact) ? " bytes" : ""}`;
}

/** Returns what C calls a structure: some have only a type name. */
export function typeName(struct: string): string {
  return struct.endsWith("_t") ? struct : `struct ${struct}`;
}

function addFacility(facts: Fact[], facility: Facility): void {
  const { constants = {}, symbol, countSize, libraries: _, dialect: _dialect, ...structs } =
    facility;
  if (symbol !== undefined) {
    facts.push({ kind: "symbol", call: "kevent", value: symbol as string });
    facts.push({ kind: "counts", call: "kevent", value: countSize as number });
  }
  addStructs(facts, Object.entries(structs) as [string, AnyStruct][]);
  addConstants(facts, constants);
}

function addStructs(facts: Fact[], structs: [string, AnyStruct][]): void {
  for (const [struct, { size, fields }] of structs) {
    if (size !== undefined) facts.push({ kind: "size", struct, value: size });
    for (const [field, [offset, width]] of Object.entries<readonly [number, number]>(fields)) {
      facts.push({ kind: "offset", struct, field, value: offset });
      facts.push({ kind: "width", struct, field, value: width });
    }
  }
}

function addConstants(facts: Fact[], constants: { readonly [name: string]: number }): void {
  for (const [name, value] of Object.entries(constants)) {
    facts.push({ kind: "constant", name, value });
  }
}

function assertDistinct(facts: readonly Fact[]): void {
  const rows = Map.groupBy(facts, subjectOf);
  const repeated = [...rows.values()].filter((same) => same.length > 1);
  if (repeated.length > 0) {
    const list = repeated.map((same) => same.map(describe).join(" and ")).join(", ");
    throw new Error(`Facts with more than one row: ${list}`);
  }
}

/** Describes what a fact is about, up to its value. */
function subjectOf(fact: Fact): string {
  switch (fact.kind) {
    case "size":
      return `the size of ${typeName(fact.struct)} is`;
    case "offset":
      return `${fact.field} of ${typeName(fact.struct)} is at offset`;
    case "width":
      return `${fact.field} of ${typeName(fact.struct)} has`;
    case "symbol":
      return `the symbol of ${fact.call} is`;
    case "prototype":
      return `the type of ${fact.call}() is`;
    case "counts":
      return `the counts of ${fact.call}() have`;
    default:
      return `${fact.name} is`;
  }
}

function hasBytes({ kind }: Fact): boolean {
  return kind === "size" || kind === "width" || kind === "counts";
}
