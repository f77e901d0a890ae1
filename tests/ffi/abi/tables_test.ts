import { assert } from "@std/assert";
import { darwinX64 } from "../../../ffi/abi/darwin.ts";
import { freebsdX64 } from "../../../ffi/abi/freebsd.ts";
import { linuxX64 } from "../../../ffi/abi/linux.ts";
import { netbsdX64 } from "../../../ffi/abi/netbsd.ts";
import { openbsdX64 } from "../../../ffi/abi/openbsd.ts";
import { solarisX64 } from "../../../ffi/abi/solaris.ts";

/** The name that an error goes by, and a second one of the same number on some systems. */
const aliases = [
  ["EAGAIN", "EWOULDBLOCK"],
  ["EDEADLK", "EDEADLOCK"],
  ["EOPNOTSUPP", "ENOTSUP"],
];

const tables = { darwinX64, freebsdX64, linuxX64, netbsdX64, openbsdX64, solarisX64 };

for (const [table, { errno }] of Object.entries(tables)) {
  Deno.test(`${table}.errno has the usual name of an error before its alias`, () => {
    const names = Object.keys(errno);
    for (const [name, alias] of aliases) {
      if (errno[name] === errno[alias]) assert(names.indexOf(name) < names.indexOf(alias), alias);
    }
  });
}
