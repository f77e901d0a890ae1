import { assertEquals, assertInstanceOf, assertMatch, assertStringIncludes } from "@std/assert";
import { abi } from "../../ffi/abi/mod.ts";
import { OSError } from "../../ffi/errno.ts";
import { runProgram } from "../support/subprocess.ts";
import { CLOSED, isWinsock, libraryPaths, names } from "../support/platform.ts";

const { EBADF, ENOTCONN } = abi.errno;

/** An unscoped permission and a scoped one, with which `errno` is read in different ways. */
const FLAGS = [
  "--allow-ffi",
  `--allow-ffi=${libraryPaths.flat().join()}`,
];

Deno.test("OSError has the attempt, the reason and the call that failed", () => {
  const error = new OSError("Cannot open the door", "unlock", EBADF);
  assertInstanceOf(error, Error);
  assertEquals([error.name, error.errno, error.code, error.syscall], [
    "OSError",
    EBADF,
    "EBADF",
    "unlock",
  ]);
  const words = isWinsock ? ".+" : "Bad file descriptor";
  assertMatch(error.message, new RegExp(`^Cannot open the door: ${words} \\(EBADF\\)$`));
  assertStringIncludes(error.stack!, "errno_test.ts");
});

Deno.test("OSError names an errno that no table has", () => {
  const error = new OSError("Cannot open the door", "unlock", 31_999);
  assertEquals([error.errno, error.code], [31_999, "E31999"]);
  assertStringIncludes(error.message, "31999");
});

Deno.test("OSError takes the name and the reason of another number than an errno", () => {
  const error = new OSError(
    "Cannot find the door",
    "getaddrinfo",
    8,
    "EAI_SERVICE",
    "No such service",
  );
  assertEquals([error.errno, error.code], [8, "EAI_SERVICE"]);
  assertEquals(error.message, "Cannot find the door: No such service (EAI_SERVICE)");
});

Deno.test("OSError names every errno of the table", () => {
  for (const [name, errno] of Object.entries(abi.errno)) {
    const { code } = new OSError("Cannot", "call", errno);
    assertEquals(abi.errno[code], errno, name);
  }
  // If a number has two names, it is the usual one.
  const usual = isWinsock ? "EWOULDBLOCK" : "EAGAIN";
  assertEquals(new OSError("", "", abi.errno[usual]).code, usual);
});

for (const flag of FLAGS) {
  const way = flag.includes("=") ? "a scoped" : "an unscoped";

  for (
    const [failure, attempt] of Object.entries({
      [`${CLOSED} write`]: "selectors.wake(999_999)",
      [`${CLOSED} read`]: "new sockets.FileDescriptor(999_999).read(new Uint8Array(1))",
      "ENOTCONN recv":
        "new sockets.Socket(sockets.AF_INET, sockets.SOCK_STREAM).recv(new Uint8Array(1))",
      "ENOTSOCK getsockopt": "sockets.Socket.fromFd(0)",
    })
  ) {
    Deno.test(`lastErrno() is right at a first ${failure}, with ${way} grant`, async () => {
      const { code, stdout, stderr } = await runProgram(
        `
        try {
          ${attempt};
        } catch (error) {
          console.log(error.code);
        }
      `,
        [flag],
      );
      assertEquals([stderr, stdout, code], ["", failure.split(" ")[0], 0]);
    });
  }

  Deno.test(`lastErrno() is right while garbage is collected, with ${way} grant`, async () => {
    const { code, stdout, stderr } = await runProgram(
      `
      const socket = new sockets.Socket(sockets.AF_INET, sockets.SOCK_STREAM);
      const closed = new sockets.FileDescriptor(999_999);
      const counts = {};
      let garbage = [];
      for (let i = 0; i < 6_000; i++) {
        if (i % 7 === 0) gc({ type: "minor" });
        if (i % 150 === 0) gc();
        const buffer = new Uint8Array(1000);
        garbage.push(buffer, { i }, new Array(100).fill(i));
        if (garbage.length > 500) garbage = [];
        try {
          (i % 2 === 0 ? closed : socket).read(buffer);
        } catch (error) {
          const name = i % 2 + " " + error.errno + " " + error.syscall;
          counts[name] = (counts[name] ?? 0) + 1;
        }
      }
      console.log(JSON.stringify(counts));
    `,
      [flag, "--v8-flags=--expose-gc"],
    );
    assertEquals([stderr, code], ["", 0]);
    assertEquals(JSON.parse(stdout), {
      [`0 ${abi.errno[CLOSED]} ${names.read}`]: 3_000,
      [`1 ${ENOTCONN} recv`]: 3_000,
    });
  });
}

Deno.test("lastErrno() is that of the calling thread", async () => {
  const url = import.meta.resolve("../support/failing_worker.ts");
  const workers = [1, 2].map(() => new Worker(url, { type: "module" }));
  const counts = await Promise.all(workers.map((worker) =>
    new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    })
  ));
  for (const worker of workers) worker.terminate();
  for (const count of counts) assertEquals(count, { [`0 ${CLOSED}`]: 1_000, "1 ENOTCONN": 1_000 });
});
