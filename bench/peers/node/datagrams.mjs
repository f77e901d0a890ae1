// An echo server over node:dgram, for Node and for Deno: see ../c/datagrams.c.
import { createSocket } from "node:dgram";
import { exit, stdin } from "node:process";

const socket = createSocket("udp4");
socket.on("message", (data, { address, port }) => socket.send(data, port, address));
socket.bind({ address: "127.0.0.1", port: 0 }, () => console.log(socket.address().port));
stdin.on("end", () => exit());
stdin.resume();
