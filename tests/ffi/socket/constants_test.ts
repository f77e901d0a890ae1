import { assert, assertEquals } from "@std/assert";
import * as constants from "../../../ffi/socket/constants.ts";
import { linuxOnly, needsProgram, skipIf } from "../../support/skip.ts";
import { isWindows } from "../../support/os.ts";

const COMPILER = Deno.env.get("CC") ?? "cc";
const names = Object.keys(constants);

/** Returns the value of a constant that the system lacks. */
function absent(name: string): number {
  return name.startsWith("MSG_") ? 0 : -1;
}

Deno.test("constants are 32-bit integers, named as in C", () => {
  for (const [name, value] of Object.entries(constants)) {
    assert(
      /^(AF|SOCK|IPPROTO|SOL|SO|MSG|SCM|TCP|IP|IPV6)_[A-Z0-9_]+$|^SOMAXCONN$/.test(name),
      name,
    );
    assertEquals(value, value | 0, name);
  }
});

Deno.test(
  "constants of one kind differ from each other",
  skipIf(isWindows, "one option names both what it requests and what it delivers on Windows"),
  () => {
    for (const kind of ["AF_", "SOCK_", "IPPROTO_", "SO_", "MSG_", "TCP_", "IP_", "IPV6_"]) {
      const present = names.filter((name) => name.startsWith(kind)).map((name) =>
        constants[name as keyof typeof constants]
      ).filter((value) => value !== absent(kind));
      assertEquals(new Set(present).size, present.length, kind);
    }
  },
);

Deno.test({
  name: "constants that Linux lacks are -1",
  ...linuxOnly,
  fn() {
    const lacking = Object.entries(constants).filter(([, value]) => value === -1);
    assertEquals(lacking, [["SO_NOSIGPIPE", -1]]);
    assertEquals(
      Object.entries(constants).filter(([name, value]) => value === 0 && name.startsWith("MSG_")),
      [],
    );
  },
});

Deno.test({
  name: "constants equal those of the machine's C headers, or are -1, or 0 for a flag",
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
          printf("${name} ${absent(name)}\\n");
          #endif`;
      });
      await Deno.writeTextFile(
        `${folder}/constants.c`,
        `#define _GNU_SOURCE
        #define __APPLE_USE_RFC_3542
        #include <netinet/in.h>
        #include <netinet/tcp.h>
        #include <stdio.h>
        #include <sys/socket.h>
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
        return [name, Number(value)];
      });
      assertEquals(Object.entries(constants), expected);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
