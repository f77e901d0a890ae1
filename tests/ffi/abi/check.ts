/**
 * Proves the tables of `ffi/abi/`: each by its system's own C headers, or, where no compiler here
 * has those, by the numbers in `../shared/abi/`. Run it as `deno task abi`.
 *
 * @module
 */

import type { Abi, WindowsAbi } from "../../../ffi/abi/abi.ts";
import { androidArm64, androidX64 } from "../../../ffi/abi/android.ts";
import { darwinArm64, darwinX64 } from "../../../ffi/abi/darwin.ts";
import { freebsdArm64, freebsdX64 } from "../../../ffi/abi/freebsd.ts";
import { abi } from "../../../ffi/abi/host.ts";
import { linuxArm64, linuxX64 } from "../../../ffi/abi/linux.ts";
import { muslArm64, muslX64 } from "../../../ffi/abi/musl.ts";
import { netbsdX64 } from "../../../ffi/abi/netbsd.ts";
import { openbsdX64 } from "../../../ffi/abi/openbsd.ts";
import { solarisX64 } from "../../../ffi/abi/solaris.ts";
import { windowsArm64, windowsX64 } from "../../../ffi/abi/windows.ts";
import { compile } from "./compiler.ts";
import { factsOf } from "./facts.ts";
import { compare } from "./numbers.ts";
import { type Proof, prove } from "./prove.ts";
import { zig } from "./zig.ts";

type Table = Abi | WindowsAbi;

const SHARED = new URL("../../../../shared/abi/", import.meta.url);

let zigProgram: Promise<string> | undefined;

const proofs: Proof[] = [
  byOwnCompiler(),
  byZig("linux x86_64", linuxX64, "x86_64-linux-gnu"),
  byZig("linux aarch64", linuxArm64, "aarch64-linux-gnu"),
  byZig("linux-musl x86_64", muslX64, "x86_64-linux-musl"),
  byZig("linux-musl aarch64", muslArm64, "aarch64-linux-musl"),
  byZig("darwin x86_64", darwinX64, "x86_64-macos"),
  byZig("darwin aarch64", darwinArm64, "aarch64-macos"),
  byZig("windows x86_64", windowsX64, "x86_64-windows-gnu"),
  byZig("windows aarch64", windowsArm64, "aarch64-windows-gnu"),
  byNumbers("freebsd x86_64", freebsdX64, "freebsd-amd64"),
  byNumbers("freebsd aarch64", freebsdArm64, "freebsd-arm64"),
  byNumbers("netbsd x86_64", netbsdX64, "netbsd-amd64"),
  byNumbers("openbsd x86_64", openbsdX64, "openbsd-amd64"),
  byNumbers("solaris x86_64", solarisX64, "solaris-amd64"),
  // Its kernel is Linux's; this constant is its library's own.
  byNumbers("android x86_64", androidX64, "linux-amd64", ["SOMAXCONN"]),
  byNumbers("android aarch64", androidArm64, "linux-arm64", ["SOMAXCONN"]),
];

if (!await prove(proofs, Deno.env.has("CI"), console.log)) Deno.exit(1);

function byOwnCompiler(): Proof {
  const { os, arch } = Deno.build;
  return {
    system: `${os} ${arch} (cc)`,
    judge: () => compile(factsOf(abi), [Deno.env.get("CC") ?? "cc"]),
  };
}

function byZig(system: string, table: Table, target: string): Proof {
  return {
    system: `${system} (zig cc)`,
    judge: async () => {
      const program = await (zigProgram ??= zig());
      return compile(factsOf(table), [program, "cc", "-target", target, "-ferror-limit=0"]);
    },
  };
}

function byNumbers(system: string, table: Table, file: string, except?: string[]): Proof {
  return {
    system: `${system} (../shared/abi)`,
    judge: async () => {
      const numbers = JSON.parse(await readNumbers(file));
      return compare(factsOf(table), numbers, except);
    },
  };
}

async function readNumbers(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(new URL(`${file}.json`, SHARED));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Deno.errors.NotFound(`${file}.json is not there`, { cause });
  }
}
