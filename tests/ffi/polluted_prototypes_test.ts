/**
 * What a program does whose `Object.prototype` was polluted, as by merging untrusted JSON into an
 * object: the same.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { isWindows } from "../support/os.ts";
import { skipIf } from "../support/skip.ts";
import { preload, runProgram } from "../support/subprocess.ts";

/** The names of options, of addresses' parts, and of what a system's table may lack. */
const NAMES = [
  ..."address backlog bytes clearEnv control controlSize count credentials cwd descriptors".split(
    " ",
  ),
  ..."dualStack env family flags hardwareAddress hostname idle initial interface interval".split(
    " ",
  ),
  ..."layout library name nonblocking optional path port reap reusePort semaphore signal".split(
    " ",
  ),
  ..."stderr stdin stdout terminal type winsock kqueue devpoll epoll abstractPaths ext".split(" "),
  ..."sun_len SO_NOSIGPIPE SOCK_NONBLOCK IPV6_V6ONLY EINTR lastError successErrno".split(" "),
];

/** Uses of the package that print what they find. */
const USE = `
  const lines = [];
  const use = async (name, fn) => {
    let result;
    try {
      result = await fn();
    } catch (error) {
      result = error.name + ": " + error.message;
    }
    lines.push(name + " " + JSON.stringify(result ?? null));
  };
  const byte = new Uint8Array(1);
  const { dlopen } = Deno;
  const paths = new Set();
  Deno.dlopen = (path, calls) => (paths.add(path), dlopen(path, calls));
  await use("DefaultSelector", () => {
    using selector = new selectors.DefaultSelector();
    const { reader, writer } = sockets.pipe();
    selector.register(reader, 1, "data");
    writer.write(byte);
    const [[key, events]] = selector.select(1000);
    selector.modify(reader, 1, "other");
    selector.unregister(reader);
    reader.close();
    writer.close();
    return [selector.constructor.name, key.data, events, selector.getMap().size];
  });
  await use("KqueueSelector", () => selectors.KqueueSelector.isAvailable());
  await use("messages", () => {
    if (Deno.build.os === "windows") return;
    const [left, right] = sockets.socketpair();
    sockets.sendMessage(left, byte);
    const { size, descriptors, credentials } = sockets.receiveMessage(right, byte);
    const sent = sockets.sendMessages(left, [{ data: byte }]);
    const received = sockets.receiveMessages(right, [byte]).length;
    left.close();
    right.close();
    return [size, descriptors.length, credentials, sent, received];
  });
  await use("keepAlive", () => {
    using socket = new sockets.Socket(sockets.AF_INET, sockets.SOCK_STREAM);
    sockets.setKeepAlive(socket, {});
    sockets.setKeepAlive(socket, null);
    return socket.getOption(sockets.SOL_SOCKET, sockets.SO_KEEPALIVE);
  });
  await use("connection", async () => {
    using server = sockets.createServer({ hostname: "127.0.0.1", port: 0 });
    const { port } = server.localAddress;
    using client = await sockets.createConnection({ hostname: "127.0.0.1", port });
    using accepted = await selectors.whenReadable(server, () => server.accept());
    await selectors.sendAll(client, byte);
    await selectors.ready(accepted, 1);
    return [client.remoteAddress.port === port, accepted.recv(new Uint8Array(9))];
  });
  await use("no address", () => {
    using socket = new sockets.Socket(sockets.AF_INET, sockets.SOCK_STREAM);
    try {
      socket.connect({});
    } catch (error) {
      return error.name;
    }
  });
  await use("selectAsync", async () => {
    using selector = new selectors.SelectSelector();
    return (await selector.selectAsync(0)).length;
  });
  await use("linux", async () => {
    if (Deno.build.os !== "linux") return;
    using counter = new descriptors.EventDescriptor();
    using child = descriptors.ProcessDescriptor.spawn("sh", ["-c", "exit 3"]);
    let input;
    try {
      input = child.stdin;
    } catch (error) {
      input = error.name;
    }
    return [counter.readCounter(), (await child.exited()).code, input];
  });
  await use("permission", () => [...paths].every((path) => !String(path).includes("evil")));
  console.log(lines.join("\\n"));
`;

async function run(flags: string[], during: string): Promise<string[]> {
  const { stdout, stderr } = await runProgram(`${during}\n${USE}`, ["--allow-all", ...flags]);
  assertEquals(stderr, "");
  return stdout.split("\n");
}

const POLLUTE = `
  for (const name of ${JSON.stringify(NAMES)}) {
    const value = /library|path|cwd|name/.test(name) ? "/evil.so" : { evil: name, "": [0] };
    Object.defineProperty(Object.prototype, name, { value, writable: true, configurable: true });
  }
`;

for (
  const [when, flags, during] of [
    ["before it is imported", [preload(POLLUTE)], ""],
    ["after it was imported", [], POLLUTE],
  ] as const
) {
  Deno.test(`The package does the same when Object.prototype is polluted ${when}`, async () => {
    assertEquals(await run([...flags], during), await run([], ""));
  });
}

for (
  const [option, use] of [
    ["library", "new selectors.DefaultSelector().close()"],
    ["library", "selectors.KqueueSelector.isAvailable()"],
    ["library", "selectors.DevpollSelector.isAvailable()"],
  ]
) {
  Deno.test(`A polluted ${option} is not loaded by ${use}`, async () => {
    const { stdout, stderr } = await runProgram(`
      const { dlopen } = Deno;
      Deno.dlopen = (path, calls) => {
        if (path === "/evil.so") console.log("opened", path);
        return dlopen(path, calls);
      };
      Object.prototype.${option} = "/evil.so";
      ${use};
      console.log("used");
    `);
    assertEquals([stderr, stdout], ["", "used"]);
  });
}

Deno.test(
  "A permission is asked for as it is when Object.prototype has a path",
  skipIf(isWindows, "the package opens five libraries there"),
  async () => {
    const { stdout } = await runProgram(
      `
    Object.prototype.path = "/evil.so";
    try { new selectors.DefaultSelector().close(); console.log("used"); }
    catch (error) { console.log(error.name); }
    `,
      ["--allow-ffi", "--deny-ffi=/evil.so"],
    );
    assertEquals(stdout, "used");
  },
);
