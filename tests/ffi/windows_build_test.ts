import { assertEquals } from "@std/assert";
import { windowsBuild } from "../../ffi/windows_build.ts";
import { isWinsock } from "../support/system.ts";

Deno.test({
  name: "windowsBuild() is the last number of the release",
  ignore: !isWinsock,
  fn() {
    for (let i = 0; i < 2; i++) assertEquals(windowsBuild(), Number(/\d+$/.exec(Deno.osRelease())));
  },
});
