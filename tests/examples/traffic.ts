import { assertEquals } from "@std/assert";
import { runCommand } from "../support/command.ts";
import type { Example } from "../support/example_process.ts";
import { inNetworkOf } from "../support/privileges.ts";

const TRAFFIC = `
import socket
for family, host in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
    for port in 9, 1234:
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.bind((host, 5555))
        s.sendto(b"hello", (host, port))
        s.close()
server = socket.create_server(("127.0.0.1", 1234))
client = socket.socket()
client.bind(("127.0.0.1", 5556))
client.connect(("127.0.0.1", 1234))
connection, _ = server.accept()
client.sendall(b"x" * 1000)
connection.recv(1000, socket.MSG_WAITALL)
client.close()
connection.recv(1)
connection.close()
`;

/**
 * Sends over loopback in the network of a program: datagrams of both families, and 1,000 bytes over
 * a TCP connection.
 */
export async function sendTraffic(program: Example): Promise<void> {
  const { stderr } = await runCommand(inNetworkOf(program.pid, ["python3", "-c", TRAFFIC]));
  assertEquals(stderr, "");
}
