/** An echo server in this process, for which nothing fails. */
export class EchoServer implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();

  constructor() {
    void this.#serve();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #serve(): Promise<void> {
    for (;;) {
      let connection;
      try {
        connection = await this.#listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        continue; // The connection was reset before.
      }
      this.#connections.add(connection);
      void this.#echo(connection).catch(() => {}).finally(() => this.#close(connection));
    }
  }

  async #echo(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(1 << 16);
    for (let size; (size = await connection.read(buffer)) !== null;) {
      for (let at = 0; at < size;) at += await connection.write(buffer.subarray(at, size));
    }
    await connection.closeWrite();
  }

  #close(connection: Deno.TcpConn): void {
    if (this.#connections.delete(connection)) connection.close();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) this.#close(connection);
  }
}
