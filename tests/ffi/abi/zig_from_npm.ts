import { fileURLToPath } from "node:url";

const VERSION = "0.12.0-dev.1286";

/**
 * Gets the Zig compiler from npm into Deno's cache. Its `zig cc` has the C headers of other
 * systems.
 *
 * @returns The path of its program
 * @throws {Deno.errors.NotFound} If it cannot be had
 */
export async function zigFromNpm(): Promise<string> {
  const os = Deno.build.os === "windows" ? "win32" : Deno.build.os;
  // npm has no build for Apple's processors, but Rosetta runs the one for Intel's.
  const arch = Deno.build.arch === "x86_64" || os === "darwin" ? "x64" : "arm64";
  // Deno would fetch a literal for every program that imports this module.
  const manifest = ["npm:@oven", `zig-${os}-${arch}@${VERSION}`, "package.json"].join("/");
  try {
    await import(manifest, { with: { type: "json" } });
  } catch (cause) {
    throw new Deno.errors.NotFound(`Cannot get zig from npm: ${(cause as Error).message}`, {
      cause,
    });
  }
  const program = Deno.build.os === "windows" ? "zig.exe" : "zig";
  return fileURLToPath(new URL(program, import.meta.resolve(manifest)));
}
