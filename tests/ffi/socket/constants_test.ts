import { assert, assertEquals, assertThrows } from "@std/assert";
import { abi } from "../../../ffi/abi/mod.ts";
import * as constants from "../../../ffi/socket/constants.ts";
import * as exported from "../../../ffi/socket/mod.ts";
import { AF_INET, SOCK_DGRAM, Socket, socketpair, SOL_SOCKET } from "../../../ffi/socket/mod.ts";
import { linuxOnly, needsProgram, skipIf } from "../../support/skip.ts";
import { isWindows } from "../../support/os.ts";

const COMPILER = Deno.env.get("CC") ?? "cc";
const names = Object.keys(constants) as (keyof typeof constants)[];

/** Every constant that `./socket` exports. */
const all = Object.entries(exported).filter(([name]) => /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(name));

/** Every number of the running system's table, by name. */
const table = new Map<string, number>(
  [abi, ...Object.values(abi)].flatMap((part) =>
    Object.entries((part as { constants?: { [name: string]: number } }).constants ?? {})
  ),
);

Deno.test("constants are the numbers of the system's table, or undefined", () => {
  assert(all.length > 150);
  for (const [name, value] of all) {
    const row = name === "TCP_KEEPIDLE" ? table.get(name) ?? table.get("TCP_KEEPALIVE") : undefined;
    assertEquals(value, row ?? table.get(name), name);
  }
});

Deno.test("constants are integers of up to 32 bits", () => {
  for (const [name, value] of all) {
    assert(value === undefined || value === (value as number) >>> 0, name);
  }
});

Deno.test(
  "constants of one kind differ from each other",
  skipIf(isWindows, "one option names both what it requests and what it delivers on Windows"),
  () => {
    const kinds = ["AF_", "SOCK_", "IPPROTO_", "SO_", "MSG_", "TCP_", "UDP_", "IP_PMTUDISC_"];
    const kindOf = (name: string) =>
      kinds.find((kind) => name.startsWith(kind)) ?? name.split("_")[0];
    for (const [kind, same] of Map.groupBy(names, kindOf)) {
      const present = same.map((name) => constants[name]).filter((value) => value !== undefined);
      assertEquals(new Set(present).size, present.length, kind);
    }
  },
);

Deno.test("Linux lacks few constants", linuxOnly, () => {
  const lacking = all.filter(([, value]) => value === undefined).map(([name]) => name);
  assertEquals(lacking.sort(), ["IP_RECVDSTADDR", "SO_NOSIGPIPE"]);
});

Deno.test("a constant that the system lacks is refused", () => {
  const lacking = undefined as unknown as number;
  for (
    const call of [
      () => new Socket(lacking, SOCK_DGRAM),
      () => new Socket(AF_INET, lacking),
      () => new Socket(AF_INET, SOCK_DGRAM, lacking),
    ]
  ) assertThrows(call, RangeError, "received undefined");
  const [left, right] = socketpair();
  using socket = left;
  right.close();
  assertThrows(() => socket.setOption(SOL_SOCKET, lacking, 1), RangeError, "received undefined");
  assertThrows(() => socket.getOption(lacking, 1), RangeError, "received undefined");
});

Deno.test({
  name: "constants equal those of the machine's C headers, or are undefined",
  ...needsProgram(COMPILER),
  ...skipIf(isWindows, "Windows has other headers"),
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "constants_" });
    try {
      const lines = names.map((name) => {
        const c = name === "TCP_KEEPIDLE" && Deno.build.os === "darwin" ? "TCP_KEEPALIVE" : name;
        return `#ifdef ${c}
          printf("${name} %lld\\n", (long long)${c});
          #else
          printf("${name}\\n");
          #endif`;
      });
      const headers = new URL("../abi/system_headers.h", import.meta.url).pathname;
      await Deno.writeTextFile(
        `${folder}/constants.c`,
        `#include "${headers}"
        #include <stdio.h>
        int main(void) {
          ${lines.join("\n")}
          return 0;
        }`,
      );
      const compiled = await new Deno.Command(COMPILER, {
        args: ["-o", `${folder}/constants`, `${folder}/constants.c`],
      }).output();
      assert(compiled.success, new TextDecoder().decode(compiled.stderr));
      const { stdout } = await new Deno.Command(`${folder}/constants`).output();
      const expected = new TextDecoder().decode(stdout).trim().split("\n").map((line) => {
        const [name, value] = line.split(" ");
        return [name, value === undefined ? undefined : Number(value)];
      });
      assertEquals(Object.entries(constants), expected);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
