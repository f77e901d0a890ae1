import { assertEquals } from "@std/assert";
import { DescriptorTable } from "../../backends/descriptor_table.ts";
import { runProgram } from "../support/subprocess.ts";

Deno.test("DescriptorTable keeps values near each other and far from all others", () => {
  const table = new DescriptorTable<string>();
  const fds = [3, 0, 0x7fff_ffff, 70_000, 70_001, 20_000, 16_000, 30_000, 46_000, 62_000, 69_999];
  for (const fd of fds) table.set(fd, `${fd}`);
  for (const fd of fds) assertEquals(table.get(fd), `${fd}`, `${fd}`);
  assertEquals(table.values().map(Number).sort((a, b) => a - b), fds.toSorted((a, b) => a - b));
  for (const fd of [1, 16_001, 70_002, 1_000_000, 0x7fff_fffe]) {
    assertEquals(table.get(fd), undefined, `${fd}`);
  }
  table.set(3, "other");
  table.delete(70_000);
  table.delete(0x7fff_ffff);
  table.delete(5);
  assertEquals([table.get(3), table.get(70_000), table.get(0x7fff_ffff)], [
    "other",
    undefined,
    undefined,
  ]);
  assertEquals(table.values().length, fds.length - 2);
  table.clear();
  assertEquals([table.values(), table.get(3)], [[], undefined]);
});

Deno.test("Selectors find no key and no wait in a polluted Object.prototype", async () => {
  const { stdout, stderr } = await runProgram(`
    const value = { fd: 0, fileobj: 0, events: 3, watches: [], mask: 3 };
    for (let fd = -1; fd < 1000; fd++) Object.prototype[fd] = value;
    const classes = ["DefaultSelector", "SelectSelector", "PollSelector"];
    for (const name of classes) {
      using selector = new selectors[name]();
      const [left, right] = sockets.socketpair();
      selector.register(left, EVENT_READ);
      right.send(new Uint8Array(1));
      const [[key, events]] = await selector.selectAsync(1000);
      const map = selector.getMap();
      console.log(key.fileobj === left, events, map.size, map.get(right) === undefined);
      const both = EVENT_READ | EVENT_WRITE;
      console.log(await selectors.ready(left, both), await selectors.ready(right, both));
      left.close();
      right.close();
    }
  `);
  assertEquals([stderr, stdout.split("\n")], ["", Array(3).fill(["true 1 1 true", "3 2"]).flat()]);
});
