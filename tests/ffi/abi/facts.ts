import type { Abi, Struct, WindowsAbi } from "../../../ffi/abi/abi.ts";

/** One number or symbol that a table claims. */
export type Fact =
  | { kind: "size"; struct: string; value: number }
  | { kind: "offset" | "width"; struct: string; field: string; value: number }
  | { kind: "constant" | "errno"; name: string; value: number }
  | { kind: "symbol"; call: string; value: string };

/** All that a table claims and that C can tell, each fact once. */
export function factsOf(abi: Abi | WindowsAbi): Fact[] {
  const facts: Fact[] = [];
  for (const [call, value] of Object.entries(abi.symbols)) {
    facts.push({ kind: "symbol", call, value });
  }
  addStructs(facts, { ...abi.structs });
  const constants: Record<string, number> = { ...abi.constants };
  const groups = [
    abi.epoll,
    abi.kqueue,
    abi.devpoll,
    abi.timerfd,
    abi.eventfd,
    abi.inotify,
    abi.signals,
    abi.signalfd,
    abi.pidfd,
    abi.termios,
    abi.messages,
    abi.credentials,
    abi.options,
    abi.packets,
    abi.winsock,
  ];
  for (const group of groups) {
    if (group === undefined) continue;
    const { constants: own, symbol, libraries: _, ...structs } = {
      symbol: undefined,
      libraries: undefined,
      ...group,
    };
    Object.assign(constants, own);
    if (symbol !== undefined) facts.push({ kind: "symbol", call: "kevent", value: symbol });
    addStructs(facts, structs);
  }
  for (const [name, value] of Object.entries(constants)) {
    facts.push({ kind: "constant", name, value });
  }
  for (const [name, value] of Object.entries(abi.errno)) {
    facts.push({ kind: "errno", name, value });
  }
  return facts;
}

/** Says a fact in words. */
export function describe(fact: Fact): string {
  switch (fact.kind) {
    case "size":
      return `${typeName(fact.struct)} is ${fact.value} bytes`;
    case "offset":
      return `${typeName(fact.struct)} has ${fact.field} at byte ${fact.value}`;
    case "width":
      return `${typeName(fact.struct)} has a ${fact.field} of ${fact.value} bytes`;
    case "symbol":
      return `the symbol of ${fact.call} is ${fact.value}`;
    default:
      return `${fact.name} is ${fact.value}`;
  }
}

/** What C calls a structure: some go by a type's name alone. */
export function typeName(struct: string): string {
  return struct.endsWith("_t") ? struct : `struct ${struct}`;
}

function addStructs(facts: Fact[], structs: { readonly [name: string]: Struct<never> }): void {
  for (const [struct, { size, fields }] of Object.entries(structs)) {
    facts.push({ kind: "size", struct, value: size });
    for (const [field, [offset, width]] of Object.entries<readonly [number, number]>(fields)) {
      facts.push({ kind: "offset", struct, field, value: offset });
      facts.push({ kind: "width", struct, field, value: width });
    }
  }
}
