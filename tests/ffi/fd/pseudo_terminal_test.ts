import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { FileDescriptor, OSError, pseudoTerminal, Terminal } from "../../../ffi/fd/mod.ts";
import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import { DEADLINE } from "../../support/deadline.ts";
import { BORN, descriptorFlags } from "../../support/descriptors.ts";
import { linuxOnly } from "../../support/skip.ts";
import { untilReadable } from "../../support/sockets.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";
import { needsTerminals, read, write } from "./terminals.ts";

function test(name: string, fn: () => void | Promise<void>, skip = needsTerminals): void {
  Deno.test({ name, ...skip, fn });
}

test("pseudoTerminal() makes both sides non-blocking and close-on-exec", () => {
  using pair = pseudoTerminal();
  assert(pair.manager instanceof Terminal && pair.subsidiary instanceof FileDescriptor);
  assertEquals(descriptorFlags(pair.manager.fileno()), BORN);
  assertEquals(descriptorFlags(pair.subsidiary.fileno()), BORN);
  assertEquals(pair.subsidiary.read(new Uint8Array(10)), null);
  assertEquals(pair.manager.read(new Uint8Array(10)), null);
}, linuxOnly);

test("pseudoTerminal() starts with line editing and echo", () => {
  using pair = pseudoTerminal();
  write(pair.manager, "ab");
  assertEquals(pair.subsidiary.read(new Uint8Array(10)), null);
  write(pair.manager, "\x7fc\r");
  assertEquals(read(pair.subsidiary), "ac\n");
  assertMatch(read(pair.manager), /^ab.*c\r\n$/);
  write(pair.subsidiary, "out\n");
  assertEquals(read(pair.manager), "out\r\n");
});

test("pseudoTerminal() closes both sides at the end of a using block", () => {
  let sides: Terminal[];
  {
    using pair = pseudoTerminal();
    sides = [pair.manager, pair.subsidiary];
  }
  assertEquals(sides.map((side) => side.fileno()), [-1, -1]);
});

test("pseudoTerminal() hangs up when one side is closed", () => {
  using first = pseudoTerminal();
  using selector = new DefaultSelector();
  selector.register(first.subsidiary, EVENT_READ);
  first.manager.close();
  assertEquals(selector.select(DEADLINE).length, 1);
  assertEquals(first.subsidiary.read(new Uint8Array(10)), 0);
  using second = pseudoTerminal();
  second.subsidiary.close();
  untilReadable(second.manager);
  if (Deno.build.os !== "linux") return;
  assertThrows(() => second.manager.read(new Uint8Array(10)), OSError, "EIO");
});

test("pseudoTerminal() and openTerminal() leave nothing open, also when they throw", async () => {
  const { stdout, stderr } = await runProgram(`
    ${COUNT_DESCRIPTORS}
    const use = () => {
      using pair = descriptors.pseudoTerminal();
      using line = descriptors.openTerminal(pair.path);
      for (const path of ["/dev/null", "/missing"]) try { descriptors.openTerminal(path); } catch {}
    };
    use();
    const before = countDescriptors();
    for (let i = 0; i < 20; i++) use();
    const fds = [];
    for (;;) try { fds.push(new descriptors.EventDescriptor()); } catch { break; }
    fds.pop().close();
    let code;
    try { descriptors.pseudoTerminal(); } catch (error) { code = error.code; }
    fds.push(new descriptors.EventDescriptor());
    fds.forEach((fd) => fd.close());
    console.log(countDescriptors() - before, code);
  `);
  assertEquals([stdout, stderr], ["0 EMFILE", ""]);
}, linuxOnly);
