/**
 * An echo server over `Deno.listen`: see ../c/echo.c.
 *
 * @module
 */

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 });
console.log(listener.addr.port);
Deno.stdin.read(new Uint8Array(1)).then(() => Deno.exit());
for await (const conn of listener) serve(conn);

async function serve(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const buffer = new Uint8Array(16 * 1024); // One per connection: all of them read at once.
  try {
    for (let size; (size = await conn.read(buffer)) !== null;) {
      for (let sent = 0; sent < size;) sent += await conn.write(buffer.subarray(sent, size));
    }
  } catch {
    // The connection broke.
  }
  conn.close();
}
