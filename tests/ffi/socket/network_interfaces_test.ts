import { assert, assertEquals, assertThrows } from "@std/assert";
import { interfaceIndex, interfaceName, networkInterfaces } from "../../../ffi/socket/mod.ts";
import { isWindows } from "../../support/os.ts";
import { linuxOnly, skipIf, windowsOnly } from "../../support/skip.ts";

Deno.test(
  "networkInterfaces() lists each interface once",
  skipIf(isWindows, "Windows lacks if_nameindex()"),
  () => {
    const interfaces = networkInterfaces();
    assert(interfaces.length > 0);
    assertEquals(new Set(interfaces.map(({ index }) => index)).size, interfaces.length);
    for (const { index, name } of interfaces) {
      assertEquals([interfaceIndex(name), interfaceName(index)], [index, name]);
    }
  },
);

Deno.test("networkInterfaces() lists what /sys/class/net does", linuxOnly, async () => {
  const names = await Array.fromAsync(Deno.readDir("/sys/class/net"), ({ name }) => name);
  const expected = names.filter((name) => name !== "bonding_masters");
  assertEquals(networkInterfaces().map(({ name }) => name).sort(), expected.sort());
});

Deno.test("networkInterfaces() is not supported on Windows", windowsOnly, () => {
  assertThrows(() => networkInterfaces(), Deno.errors.NotSupported, "if_nameindex()");
});
