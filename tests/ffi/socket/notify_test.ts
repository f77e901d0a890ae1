import { assertEquals, assertThrows } from "@std/assert";
import { AF_UNIX, notify, OSError, SOCK_DGRAM, Socket } from "../../../ffi/socket/mod.ts";
import { linuxOnly, windowsOnly } from "../../support/skip.ts";
import { abstractPath, filePath, needsUnix } from "../../support/sockets.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";

/** Calls a function while NOTIFY_SOCKET has a value. */
function withNotifySocket<T>(value: string, call: () => T): T {
  Deno.env.set("NOTIFY_SOCKET", value);
  try {
    return call();
  } finally {
    Deno.env.delete("NOTIFY_SOCKET");
  }
}

/** Notifies a socket at a path, and returns what it received. */
function notified(path: string, value: string, state: string): string {
  using manager = new Socket(AF_UNIX, SOCK_DGRAM);
  manager.bind({ path });
  assertEquals(withNotifySocket(value, () => notify(state)), true);
  const buffer = new Uint8Array(1_000);
  const size = manager.recv(buffer)!;
  return new TextDecoder().decode(buffer.subarray(0, size));
}

Deno.test("notify() sends the state to the socket that NOTIFY_SOCKET names", needsUnix, () => {
  const path = filePath();
  assertEquals(notified(path, path, "READY=1"), "READY=1");
});

Deno.test("notify() sends the state to an abstract socket", linuxOnly, () => {
  const path = abstractPath();
  assertEquals(
    notified(path, `@${path.slice(1)}`, "STATUS=Grüße\nWATCHDOG=1"),
    "STATUS=Grüße\nWATCHDOG=1",
  );
});

Deno.test("notify() returns false without NOTIFY_SOCKET", () => {
  assertEquals(notify("READY=1"), false);
  assertEquals(withNotifySocket("", () => notify("READY=1")), false);
});

Deno.test("notify() returns false on Windows", windowsOnly, () => {
  assertEquals(withNotifySocket("/run/notify", () => notify("READY=1")), false);
});

Deno.test("notify() throws TypeError or RangeError when the state is wrong", () => {
  for (const state of [undefined, null, 1, {}]) {
    assertThrows(() => notify(state as never), TypeError, "the state must be a string");
  }
  assertThrows(() => notify("READY=1\0"), RangeError, "must not contain a NUL");
});

Deno.test("notify() throws RangeError when NOTIFY_SOCKET is wrong", needsUnix, () => {
  for (const value of ["run/notify", "vsock:2:1", " /run/notify"]) {
    withNotifySocket(
      value,
      () => assertThrows(() => notify("READY=1"), RangeError, `received "${value}"`),
    );
  }
  withNotifySocket("/" + "x".repeat(200), () => assertThrows(() => notify("READY=1"), RangeError));
});

Deno.test(
  "notify() throws OSError when nobody listens, and leaves nothing open",
  needsUnix,
  async () => {
    const error = withNotifySocket(
      filePath(),
      () => assertThrows(() => notify("READY=1"), OSError),
    );
    assertEquals([error.code, error.syscall], ["ENOENT", "sendto"]);
    const { code, stdout, stderr } = await runProgram(
      `
    const attempt = () => { try { sockets.notify("READY=1"); } catch { return; } };
    attempt();
    ${COUNT_DESCRIPTORS}
    const before = countDescriptors();
    for (let i = 0; i < 10; i++) attempt();
    console.log(countDescriptors() - before);
    `,
      undefined,
      { NOTIFY_SOCKET: "/nonexistent/notify" },
    );
    assertEquals([code, stdout], [0, "0"], stderr);
  },
);

Deno.test("notify() needs only --allow-ffi, and reaches a manager that started the program", {
  ...linuxOnly,
}, async () => {
  const path = filePath();
  using manager = new Socket(AF_UNIX, SOCK_DGRAM);
  manager.bind({ path });
  const { stdout, stderr } = await runProgram(
    `console.log(sockets.notify("READY=1"));`,
    ["--allow-ffi"],
    { NOTIFY_SOCKET: path },
  );
  assertEquals([stdout, stderr], ["true", ""]);
  assertEquals(manager.recv(new Uint8Array(100)), 7);
});
