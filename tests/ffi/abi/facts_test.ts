import { assertEquals, assertThrows } from "@std/assert";
import type { Abi } from "../../../ffi/abi/abi.ts";
import { darwinX64 } from "../../../ffi/abi/darwin.ts";
import { linuxX64 } from "../../../ffi/abi/linux.ts";
import { tables } from "../../../ffi/abi/mod.ts";
import { describe, type Fact, factsOf } from "./facts.ts";

for (const [system, makeTable] of Object.entries(tables)) {
  Deno.test(`factsOf() finds one row for each fact about ${system}`, () => {
    factsOf(makeTable());
  });
}

Deno.test("factsOf() throws on a constant of two groups that disagree", () => {
  const { termios } = linuxX64();
  const constants = { ...termios!.constants, O_NONBLOCK: 4 };
  const table: Abi = { ...linuxX64(), termios: { ...termios!, constants } };
  assertThrows(
    () => factsOf(table),
    Error,
    "Facts with more than one row: O_NONBLOCK is 2048 and O_NONBLOCK is 4",
  );
});

Deno.test("factsOf() throws on a constant of two groups that agree", () => {
  const { epoll } = linuxX64();
  const constants = { ...epoll!.constants, EFD_SEMAPHORE: 1 };
  assertThrows(
    () => factsOf({ ...linuxX64(), epoll: { ...epoll!, constants } }),
    Error,
    "Facts with more than one row: EFD_SEMAPHORE is 1 and EFD_SEMAPHORE is 1",
  );
});

Deno.test("factsOf() throws on a structure of two groups", () => {
  const { options, structs } = linuxX64();
  assertThrows(
    () => factsOf({ ...linuxX64(), structs: { ...structs, linger: options!.linger } as never }),
    Error,
    "the size of struct linger is 8 bytes and the size of struct linger is 8 bytes",
  );
});

Deno.test("factsOf() lists the facts of every kind", () => {
  const facts = factsOf(darwinX64()).map(describe);
  const some = [
    "the symbol of select is select$DARWIN_EXTSN",
    "the counts of kevent() have 4 bytes",
    "the size of struct kevent is 32 bytes",
    "udata of struct kevent is at offset 24",
    "udata of struct kevent has 8 bytes",
    "EVFILT_WRITE is -2",
    "EINTR is 4",
  ];
  assertEquals(some.filter((fact) => !facts.includes(fact)), []);
});

Deno.test("describe() calls a structure as C does", () => {
  const fact: Fact = { kind: "size", struct: "siginfo_t", value: 128 };
  assertEquals(describe(fact), "the size of siginfo_t is 128 bytes");
});
