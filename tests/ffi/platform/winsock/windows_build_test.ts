import { assertEquals } from "@std/assert";
import { windowsBuild } from "../../../../ffi/platform/winsock/windows_build.ts";
import { windowsOnly } from "../../../support/skip.ts";

Deno.test({
  name: "windowsBuild() returns the last number of the release",
  ...windowsOnly,
  fn() {
    for (let i = 0; i < 2; i++) assertEquals(windowsBuild(), Number(/\d+$/.exec(Deno.osRelease())));
  },
});
