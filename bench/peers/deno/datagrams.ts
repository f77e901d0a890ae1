/**
 * An echo server over `Deno.listenDatagram`: see ../c/datagrams.c.
 *
 * @module
 */

const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
console.log((socket.addr as Deno.NetAddr).port);
Deno.stdin.read(new Uint8Array(1)).then(() => Deno.exit());
const buffer = new Uint8Array(65536);
for (;;) {
  const [data, address] = await socket.receive(buffer);
  await socket.send(data, address);
}
