import { assert } from "@std/assert";
import { tables } from "../../../ffi/abi/mod.ts";

/** The name that an error goes by, and a second one of the same number on some systems. */
const aliases: [name: string, alias: string][] = [
  ["EAGAIN", "EWOULDBLOCK"],
  ["EDEADLK", "EDEADLOCK"],
  ["EOPNOTSUPP", "ENOTSUP"],
];

for (const [system, makeTable] of Object.entries(tables)) {
  Deno.test(`the errors of ${system} have their usual names before aliases`, () => {
    const { errno } = makeTable();
    const names = Object.keys(errno);
    for (const [name, alias] of aliases) {
      if (errno[name] !== undefined && errno[name] === errno[alias]) {
        assert(names.indexOf(name) < names.indexOf(alias), alias);
      }
    }
  });
}

for (const system of ["darwin x86_64", "darwin aarch64", "netbsd x86_64"]) {
  Deno.test(`libc of ${system} has no bare name, which a file of the current folder could have`, () => {
    const { libc } = tables[system]();
    assert(libc.length > 0 && libc.every((place) => place.startsWith("/")), libc.join());
  });
}
