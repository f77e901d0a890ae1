// A server over node:http that always answers the same, for Node and for Deno.
import { createServer } from "node:http";
import { exit, stdin } from "node:process";

const server = createServer((_request, response) => {
  response.setHeader("Content-Type", "text/plain");
  response.end("Hello, world!\n");
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.log(server.address().port);
});
stdin.on("end", () => exit());
stdin.resume();
