// An echo server over node:net, for Node and for Deno: see ../c/echo.c.
import { createServer } from "node:net";
import { exit, stdin } from "node:process";

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("data", (data) => {
    // Reading stops while something is unsent.
    if (!socket.write(data)) socket.pause();
  });
  socket.on("drain", () => socket.resume());
  socket.on("error", () => socket.destroy());
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.log(server.address().port);
});
stdin.on("end", () => exit());
stdin.resume();
