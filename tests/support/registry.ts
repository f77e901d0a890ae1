/**
 * A package registry like JSR, in this process, which takes one package and serves it.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** The part of a package's `deno.json` that a registry reads. */
interface Config {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
}

const decoder = new TextDecoder();

/** The registry, closed at the end of an `await using` block. */
export class Registry implements AsyncDisposable {
  /** The files of the published package by their paths, such as `/mod.ts`. */
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>> = new Map();
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => this.#serve(request),
  );

  /** What `JSR_URL` has to be for Deno to use it. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** What the package says about itself. */
  get config(): Config {
    return JSON.parse(decoder.decode(this.files.get("/deno.json")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #serve(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "POST") {
      this.files = await readArchive(request.body!);
      return Response.json({ id: "1", status: "success", error: null });
    }
    if (pathname.startsWith("/api/")) {
      const isVersion = pathname.includes("/versions/");
      return isVersion ? Response.json({ code: "notFound" }, { status: 404 }) : Response.json({});
    }
    const { name, version, exports } = this.config;
    if (pathname === `/${name}/meta.json`) return Response.json({ versions: { [version]: {} } });
    if (pathname === `/${name}/${version}_meta.json`) {
      const manifest = Object.fromEntries(
        this.files.entries().map(([path, bytes]) => {
          const hash = createHash("sha256").update(bytes).digest("hex");
          return [path, { size: bytes.length, checksum: `sha256-${hash}` }];
        }),
      );
      return Response.json({ manifest, exports });
    }
    const file = this.files.get(pathname.slice(`/${name}/${version}`.length));
    const headers = { "Content-Type": "text/typescript" };
    return file === undefined
      ? new Response(null, { status: 404 })
      : new Response(file, { headers });
  }
}

/** Reads the files of a `.tar.gz`. */
async function readArchive(
  archive: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const stream = archive.pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const text = (from: number, to: number) => decoder.decode(bytes.subarray(from, to));
  for (let at = 0; bytes[at] !== 0;) {
    const name = text(at, at + 100).replace(/\0.*$/s, "");
    const size = parseInt(text(at + 124, at + 136), 8);
    const start = at + 512;
    files.set(`/${name.replace(/^(\.?\/)+/, "")}`, bytes.slice(start, start + size));
    at = start + Math.ceil(size / 512) * 512;
  }
  return files;
}
