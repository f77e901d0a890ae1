import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { androidArm64, androidX64 } from "../../../ffi/abi/android.ts";
import { darwinArm64, darwinX64 } from "../../../ffi/abi/darwin.ts";
import { freebsdArm64, freebsdX64 } from "../../../ffi/abi/freebsd.ts";
import { abi, tableOf } from "../../../ffi/abi/mod.ts";
import { linuxArm64, linuxX64 } from "../../../ffi/abi/linux.ts";
import { muslArm64, muslX64 } from "../../../ffi/abi/musl.ts";
import { netbsdX64 } from "../../../ffi/abi/netbsd.ts";
import { openbsdX64 } from "../../../ffi/abi/openbsd.ts";
import { solarisX64 } from "../../../ffi/abi/solaris.ts";
import { windowsArm64, windowsX64 } from "../../../ffi/abi/windows.ts";

const tables: [os: string, arch: string, target: string, makeTable: () => unknown][] = [
  ["android", "x86_64", "x86_64-linux-android", androidX64],
  ["android", "aarch64", "aarch64-linux-android", androidArm64],
  ["darwin", "x86_64", "x86_64-apple-darwin", darwinX64],
  ["darwin", "aarch64", "aarch64-apple-darwin", darwinArm64],
  ["freebsd", "x86_64", "x86_64-unknown-freebsd", freebsdX64],
  ["freebsd", "aarch64", "aarch64-unknown-freebsd", freebsdArm64],
  ["illumos", "x86_64", "x86_64-unknown-illumos", solarisX64],
  ["linux", "x86_64", "x86_64-unknown-linux-gnu", linuxX64],
  ["linux", "aarch64", "aarch64-unknown-linux-gnu", linuxArm64],
  ["linux", "x86_64", "x86_64-alpine-linux-musl", muslX64],
  ["linux", "aarch64", "aarch64-unknown-linux-musl", muslArm64],
  ["netbsd", "x86_64", "x86_64-unknown-netbsd", netbsdX64],
  ["openbsd", "x86_64", "x86_64-unknown-openbsd", openbsdX64],
  ["solaris", "x86_64", "x86_64-pc-solaris", solarisX64],
  ["windows", "x86_64", "x86_64-pc-windows-msvc", windowsX64],
  ["windows", "aarch64", "aarch64-pc-windows-msvc", windowsArm64],
];

for (const [os, arch, target, makeTable] of tables) {
  Deno.test(`tableOf() finds the table of ${target}`, () => {
    assertEquals(tableOf({ os, arch, target }), makeTable());
  });
}

Deno.test("tableOf() throws NotSupported on a system that it does not know", () => {
  assertThrows(
    () => tableOf({ os: "aix", arch: "powerpc64", target: "powerpc64-ibm-aix" }),
    Deno.errors.NotSupported,
    "Cannot run on aix powerpc64: its system calls are not in the package's tables",
  );
});

Deno.test("tableOf() throws NotSupported on a processor that it does not know", () => {
  assertThrows(
    () => tableOf({ os: "linux", arch: "riscv64", target: "riscv64gc-unknown-linux-gnu" }),
    Deno.errors.NotSupported,
    "linux riscv64",
  );
});

Deno.test("abi is the table of this system", () => {
  assertStrictEquals(abi, tableOf(Deno.build));
});
