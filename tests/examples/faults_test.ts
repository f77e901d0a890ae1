import { assert } from "@std/assert";
import { Example } from "../support/example_process.ts";
import { needsFakes } from "../support/fake_library.ts";
import { Faults } from "../support/faults.ts";
import { needsProgram, type Skip } from "../support/skip.ts";
import { abstractPath, noise } from "../support/sockets.ts";
import { through } from "./activated.ts";
import { ask as askDns, encodeQuery } from "./dns_client.ts";
import { concat, words } from "../../examples/support/dns_messages.ts";
import { EchoServer } from "./echo_server.ts";
import {
  type Ask,
  askAll,
  askChat,
  askDatagram,
  askGroup,
  askStream,
  assertServed,
  type Exchange,
} from "./fault_clients.ts";

/** How many clients a server has at once. */
const CLIENTS = 6;

/** How often they ask at most until a call has failed; twice in any case. */
const ROUNDS = 30;

const WAITS = ["epoll_wait", "epoll_pwait2", "poll", "ppoll", "select", "pselect"];
const RECEIVING = ["recv", "recvfrom", "recvmsg", "recvmmsg"];
const SENDING = ["send", "sendto", "sendmsg", "sendmmsg"];

const each = (calls: readonly string[], fault: string) => calls.map((call) => `${call}=${fault}`);

/** Rules for tests/fakes/faulty_libc.c. */
const FAULTS = {
  "calls are interrupted": each(
    [...WAITS, ...RECEIVING, ...SENDING, "read", "write", "accept4", "close"],
    "EINTR/3",
  ),
  "nothing is ready after all": each([...RECEIVING, ...SENDING, "accept4"], "EAGAIN/9"),
  "connections are lost before they are accepted": [
    ...["ECONNABORTED", "EPROTO", "ETIMEDOUT", "ENETDOWN", "EPERM"].map((code) =>
      `accept4=${code}/5`
    ),
  ],
  "descriptors run out": ["accept4=EMFILE/9", "accept4=ENFILE/9", "socket=EMFILE/9"],
  "no more can be watched": ["epoll_ctl=ENOSPC/5", "epoll_ctl=ENOMEM/9", "epoll_ctl_mod=ENOMEM/9"],
  "memory runs out": [
    ...each(["accept4", "socket", "recvmsg", "recvmmsg", "sendmsg", "sendmmsg"], "ENOMEM/9"),
    ...each(["accept4", "socket", "sendmsg", "sendmmsg", "sendto"], "ENOBUFS/9"),
  ],
  "connections break": [
    ...each(["recv", "send"], "ECONNRESET/9"),
    ...each(["recv", "send"], "EIO/20"),
    ...each(["connect"], "ECONNREFUSED/5"),
    ...each(["shutdown", "getpeername"], "ENOTCONN/3"),
    ...each(["setsockopt", "getsockopt"], "EINVAL/9"),
  ],
  "closing fails": ["close=EIO/3"],
};

type Fault = keyof typeof FAULTS;

/** The faults after which a client may have to ask again. */
const BREAKING: readonly Fault[] = [
  "no more can be watched",
  "memory runs out",
  "connections break",
];

/** A server that is an example. */
interface Server {
  /** The faults that do not concern it. */
  readonly without?: readonly Fault[];
  readonly skip?: Skip;
  /** Starts it. */
  start(faults: Faults, stack: AsyncDisposableStack): Promise<Ask>;
}

const data = noise(50_000);
const echo: Exchange = { request: data, answer: data };
const datagram: Exchange = { request: data.slice(0, 500), answer: data.subarray(0, 500) };

/** A server of one process, which listens on a port. */
function simple(name: string, exchange: Exchange, args = ["--port", "0"]): Server {
  return {
    async start({ options }, stack) {
      const { port } = stack.use(await Example.start(name, args, options));
      return () => askStream(port, exchange);
    },
  };
}

const get = (path: string, answer: string): Exchange => ({
  request: new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`),
  answer: new TextEncoder().encode(answer),
  after: "\r\n\r\n",
});

const hello = get("/", "Hello, world!\n");

/** Faults of calls that datagram servers do not make. */
const OF_CONNECTIONS: readonly Fault[] = [
  "connections are lost before they are accepted",
  "descriptors run out",
  "connections break",
  "closing fails",
];

const SERVERS: Readonly<Record<string, Server>> = {
  "echo.ts": simple("echo", echo),
  "echo.ts with poll": {
    ...simple("echo", echo, ["--port", "0", "--backend", "poll"]),
    without: ["no more can be watched"],
  },
  "echo.ts with select": {
    ...simple("echo", echo, ["--port", "0", "--backend", "select"]),
    without: ["no more can be watched"],
  },
  "http.ts": simple("http", get("/bytes/50000", ".".repeat(50_000))),
  "workers.ts": simple("workers", hello, ["--port", "0", "--workers", "2"]),
  "workers.ts --share": simple("workers", hello, ["--port", "0", "--workers", "2", "--share"]),
  "chat.ts": {
    async start({ options }, stack) {
      const { port } = stack.use(await Example.start("chat", ["--port", "0"], options));
      return () => askChat(port);
    },
  },
  "proxy.ts": {
    async start({ options }, stack) {
      const target = stack.use(new EchoServer());
      const args = ["--listen", "127.0.0.1:0", "--to", `127.0.0.1:${target.port}`];
      const { port } = stack.use(await Example.start("proxy", args, options));
      return () => askStream(port, echo);
    },
  },
  "fdpass.ts": {
    async start({ options }, stack) {
      const meeting = ["--socket", abstractPath().replace("\0", "@")];
      const accept = ["--port", "0", ...meeting, "accept"];
      const door = stack.use(await Example.start("fdpass", accept, options));
      const worker = stack.use(await Example.start("fdpass", [...meeting, "serve"], options));
      await door.stdout.wait(`process ${worker.pid} serves`);
      return () => askStream(door.port, { ...echo, after: "\n" });
    },
  },
  "dns.ts": {
    async start({ options }, stack) {
      const args = ["--port", "0", "--record", "192.0.2.1 www.example"];
      const { port } = stack.use(await Example.start("dns", args, options));
      const request = encodeQuery("www.example", "A");
      const answer = await askDns(port, request);
      const framed = (message: Uint8Array) => concat([words(message.length), message]);
      return async () =>
        await askDatagram(port, { request, answer }) &&
        await askStream(port, { request: framed(request), answer: framed(answer) });
    },
  },
  "udp_echo.ts": {
    without: OF_CONNECTIONS,
    async start({ options }, stack) {
      const { port } = stack.use(await Example.start("udp_echo", ["127.0.0.1:0"], options));
      return () => askDatagram(port, datagram);
    },
  },
  "multicast.ts": {
    without: OF_CONNECTIONS,
    async start({ options }, stack) {
      const [group, port] = ["239.1.2.3", 20_000 + Deno.pid % 10_000];
      const args = ["-i", "lo", `${group}:${port}`];
      const { stdout } = stack.use(await Example.start("multicast", args, options));
      return () => askGroup(group, port, stdout);
    },
  },
  "activation.ts": {
    skip: needsProgram("python3"),
    async start({ options }, stack) {
      const server = await Example.start("activation", [], {
        ...options,
        through: (command) => through("stream dgram")(options.through(command)),
      });
      stack.use(server);
      const portIn = (line: string) => Number(/:(\d+)$/.exec(line)![1]);
      const stream = portIn(server.firstLine);
      const datagrams = portIn(await server.stdout.wait(/: datagrams on /));
      return async () => await askStream(stream, echo) && await askDatagram(datagrams, datagram);
    },
  },
};

/** Tries a server with each fault. */
async function tryFaults({ start, without = [] }: Server, t: Deno.TestContext): Promise<void> {
  using faults = new Faults();
  await using stack = new AsyncDisposableStack();
  const ask = await start(faults, stack);
  for (const what of Object.keys(FAULTS) as Fault[]) {
    if (without.includes(what)) continue;
    await t.step(`${what} (seed ${faults.seed})`, async () => {
      faults.set(FAULTS[what]);
      for (let i = 0; i < 2 || i < ROUNDS && faults.made.length === 0; i++) {
        if (BREAKING.includes(what)) await askAll(ask, CLIENTS);
        else await assertServed(ask, CLIENTS);
      }
      assert(faults.made.length > 0, "No call has failed");
      faults.set([]);
      await assertServed(ask, CLIENTS);
    });
  }
}

// All at once: a server without descriptors or memory rests for a second each time.
Deno.test({
  name: "servers serve their clients while calls fail",
  ...needsFakes,
  sanitizeOps: false, // Deno requires it of steps that run at once.
  sanitizeResources: false,
  sanitizeExit: false,
  async fn(t) {
    const steps = Object.entries(SERVERS).map(([name, server]) =>
      t.step({ name, ...server.skip, fn: (t) => tryFaults(server, t) })
    );
    await Promise.all(steps);
  },
});

Deno.test({
  name: "handover.ts serves its clients until it is replaced, even if that fails at first",
  ...needsFakes,
  async fn() {
    using faults = new Faults();
    await using stack = new AsyncDisposableStack();
    const args = ["--port", "0", "--name", abstractPath().slice(1)];
    const { options, seed } = faults;
    let started = 0;
    // Each has a seed of its own: with the same one, all would make the same choice of calls.
    const through = (command: readonly string[]) =>
      options.through(["env", `FAULT_SEED=${seed + started++}`, ...command]);
    const start = async () =>
      stack.use(await Example.start("handover", args, { ...options, through }));
    let server = await start();
    const ask = () => askStream(server.port, get("/", `Served by process ${server.pid}\n`));
    faults.set(["accept4=EMFILE/3", "sendmsg=ETOOMANYREFS/2", "sendmsg=EAGAIN/9"]);
    for (let i = 0; i < ROUNDS && faults.made.length === 0; i++) {
      await assertServed(ask, CLIENTS);
      const next = await start().catch(() => null); // Nothing was handed over to it.
      if (next === null) continue;
      await server.stdout.wait(`process ${next.pid} has taken over`);
      server = next;
    }
    assert(faults.made.length > 0, "No call has failed");
    await assertServed(ask, CLIENTS);
  },
});
