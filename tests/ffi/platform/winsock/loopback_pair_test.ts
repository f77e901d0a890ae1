import { assertEquals } from "@std/assert";
import { windowsOnly } from "../../../support/skip.ts";
import { runProgram } from "../../../support/subprocess.ts";

/** Makes a pair while three strangers connect to its port as soon as it listens. */
const AMONG_STRANGERS = `
  const { dlopen } = Deno;
  const own = dlopen("ws2_32.dll", {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    connect: { parameters: ["i32", "buffer", "i32"], result: "i32" },
    recv: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  }).symbols;
  const strangers = [];
  Deno.dlopen = (path, declared) => {
    const { symbols } = dlopen(path, declared);
    if (!("listen" in declared)) return { symbols };
    const listen = (fd, backlog) => {
      const result = symbols.listen(fd, backlog);
      const address = new Uint8Array(16);
      own.getsockname(fd, address, new Int32Array([16]));
      for (let i = 0; i < 3; i++) {
        const stranger = own.socket(2, 1, 0);
        if (own.connect(stranger, address, 16) === 0) strangers.push(stranger);
      }
      return result;
    };
    return { symbols: { ...symbols, listen } };
  };
  const [left, right] = sockets.socketpair();
  left.send(new TextEncoder().encode("among us"));
  const buffer = new Uint8Array(99);
  using selector = new selectors.SelectSelector();
  selector.register(right, EVENT_READ);
  selector.select(1000);
  console.log(new TextDecoder().decode(buffer.subarray(0, right.recv(buffer))));
  console.log(strangers.map((stranger) => own.recv(stranger, buffer, 99, 0) <= 0).join());
`;

Deno.test({
  name: "connectPair() closes the connections of strangers",
  ...windowsOnly,
  async fn() {
    const { stdout, stderr } = await runProgram(AMONG_STRANGERS);
    assertEquals([stdout.split(/\r?\n/), stderr], [["among us", "true,true,true"], ""]);
  },
});
