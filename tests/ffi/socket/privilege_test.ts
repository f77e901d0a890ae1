import { assertEquals, assertMatch } from "@std/assert";
import { abi } from "../../../ffi/abi/mod.ts";
import { adviceForBind } from "../../../ffi/socket/privilege.ts";

const { EACCES, EADDRINUSE } = abi.errno;

Deno.test("adviceForBind() explains a refused port and a path that exists", () => {
  assertMatch(
    adviceForBind({ hostname: "127.0.0.1", port: 80 }, EACCES),
    /^, a port that needs root( or CAP_NET_BIND_SERVICE)?$/,
  );
  assertEquals(
    adviceForBind({ path: "/tmp/socket" }, EADDRINUSE),
    ", which exists (remove it if no server uses it)",
  );
});

Deno.test("adviceForBind() returns nothing if the error explains itself", () => {
  for (
    const [address, errno] of [
      [{ hostname: "127.0.0.1", port: 1024 }, EACCES],
      [{ hostname: "127.0.0.1", port: 0 }, EACCES],
      [{ hostname: "127.0.0.1", port: 80 }, EADDRINUSE],
      [{ path: "/tmp/socket" }, EACCES],
      [{ path: "\0abstract" }, EADDRINUSE],
      [{ family: 16, bytes: new Uint8Array(10) }, EACCES],
    ] as const
  ) assertEquals(adviceForBind(address, errno), "");
});
