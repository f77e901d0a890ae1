import { assertEquals } from "@std/assert";
import { abi } from "../../../ffi/abi/mod.ts";
import * as fd from "../../../ffi/fd/mod.ts";
import * as constants from "../../../ffi/fd/tun_constants.ts";
import { isLinux } from "../../support/os.ts";

Deno.test("constants of TUN devices are the numbers of the table, and undefined elsewhere", () => {
  const table: { readonly [name: string]: number } = abi.tun?.constants ?? {};
  const names = Object.keys(constants) as (keyof typeof constants)[];
  assertEquals(names.length, 6);
  for (const name of names) {
    assertEquals(constants[name], table[name], name);
    assertEquals(typeof constants[name], isLinux ? "number" : "undefined", name);
    assertEquals(fd[name], constants[name]);
  }
});
