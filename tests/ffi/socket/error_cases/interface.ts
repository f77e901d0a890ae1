import { interfaceIndex, interfaceName } from "../../../../ffi/socket/mod.ts";
import { each, type ErrorCase, NOT_INTEGERS } from "../../../support/error_cases.ts";
import { isWinsock } from "../../../support/platform.ts";
import { linuxOnly } from "../../../support/skip.ts";

export const interfaceErrors: readonly ErrorCase[] = [
  {
    name: "interfaceIndex() throws TypeError when the name is not a string",
    error: TypeError,
    message: /^Cannot find an interface: its name must be a string, received /,
    calls: each([undefined, null, 1, {}], (name) => interfaceIndex(name)),
  },
  {
    name: "interfaceIndex() throws RangeError when the name contains a NUL",
    error: RangeError,
    message: /^Cannot find an interface: its name must not contain a NUL$/,
    calls: [() => interfaceIndex("lo\0")],
  },
  {
    name: "interfaceIndex() throws OSError when there is no such interface",
    error: ["ENODEV", "if_nametoindex"],
    message: /^Cannot find the interface "/,
    calls: ["", "nonsense", "é", "x".repeat(1000)].map((name) => () => interfaceIndex(name)),
    ...linuxOnly,
  },
  {
    name: "interfaceName() throws RangeError when the index is out of range or not an integer",
    error: RangeError,
    message: /^Cannot find an interface: its index must be an integer from 0 to 2147483647/,
    calls: each([-1, ...NOT_INTEGERS, undefined], (index) => interfaceName(index)),
  },
  {
    name: "interfaceName() throws OSError when there is no such interface",
    error: [isWinsock ? "EADDRNOTAVAIL" : "ENXIO", "if_indextoname"],
    message: /^Cannot find interface \d+: /,
    calls: [() => interfaceName(0), () => interfaceName(54_321)],
  },
];
