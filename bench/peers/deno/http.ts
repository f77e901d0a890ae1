/**
 * A server over `Deno.serve` that always answers the same.
 *
 * @module
 */

Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) },
  () => new Response("Hello, world!\n"),
);
await Deno.stdin.read(new Uint8Array(1));
Deno.exit();
