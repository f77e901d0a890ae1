import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeAddress, encodeAddress } from "../../../ffi/socket/address.ts";
import { decodeControl, encodeControl } from "../../../ffi/socket/control.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  type RawAddress,
  SCM_RIGHTS,
  SOL_SOCKET,
} from "../../../ffi/socket/mod.ts";
import { isLinux, isWindows } from "../../support/os.ts";
import { linuxOnly, skipIf } from "../../support/skip.ts";
import { needsIpv6 } from "../../support/sockets.ts";

const RUNS = 1_000;
const needsControl = skipIf(isWindows, "Windows has other control messages");

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });

/** Decodes an address of some bytes, and encodes it again. */
function encodeAgain({ family, bytes }: RawAddress): Uint8Array {
  const raw = encodeAddress({ family, bytes }, family);
  const room = new Uint8Array(128); // As the system fills it.
  room.set(raw);
  const encoded = encodeAddress(decodeAddress(room, raw.length), family);
  return encoded.subarray(raw.length - bytes.length);
}

function test(
  name: string,
  addresses: fc.Arbitrary<RawAddress>,
  skip = {},
): void {
  Deno.test(`encodeAddress() encodes what decodeAddress() decodes: ${name}`, skip, () => {
    fc.assert(
      fc.property(addresses, (address) => {
        const { length } = address.bytes;
        const encoded = encodeAgain(address);
        assertEquals(encoded.subarray(0, length), address.bytes);
        assertEquals(encoded.subarray(length), new Uint8Array(encoded.length - length));
      }),
      { numRuns: RUNS },
    );
  });
}

test(
  "IPv4",
  bytes(6).map((start) => ({ family: AF_INET, bytes: new Uint8Array([...start, ...Array(8)]) })),
);

test(
  "IPv6",
  fc.tuple(bytes(2), bytes(16)).map(([port, address]) => ({
    family: AF_INET6,
    bytes: new Uint8Array([...port, 0, 0, 0, 0, ...address, 0, 0, 0, 0]),
  })),
  needsIpv6,
);

test(
  "abstract Unix names",
  fc.uint8Array({ maxLength: 107 }).map((name) => ({
    family: AF_UNIX,
    bytes: new Uint8Array([0, ...name]),
  })),
  linuxOnly,
);

test(
  "Unix paths, whatever their bytes",
  fc.uint8Array({ min: 1, minLength: 1, maxLength: 100 }).map((path) => ({
    family: AF_UNIX,
    bytes: path,
  })),
);

test(
  "any other family",
  fc.record({
    family: fc.integer({ min: 40, max: 255 }),
    bytes: fc.uint8Array({ maxLength: 126 }),
  }),
  linuxOnly,
);

Deno.test("decodeControl() decodes what encodeControl() encodes", needsControl, () => {
  const message = fc.record({
    level: fc.integer({ min: SOL_SOCKET + 1, max: 0x7fff_ffff }),
    type: fc.integer({ min: 0, max: 0x7fff_ffff }),
    data: fc.uint8Array({ maxLength: 70 }),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
      const { others, ...rest } = decodeControl(encodeControl(messages));
      assertEquals(others, messages);
      assertEquals(rest, { descriptors: [], credentials: null });
    }),
    { numRuns: RUNS },
  );
});

Deno.test("decodeControl() reads any bytes", needsControl, () => {
  const header = encodeControl([{ level: SOL_SOCKET, type: SCM_RIGHTS, data: new Uint8Array(8) }]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (noise, isPlausible) => {
      const given = new Uint8Array(isPlausible ? [...header, ...noise] : noise);
      const { descriptors, others } = decodeControl(given);
      const size = others.reduce((sum, { data }) => sum + data.length, descriptors.length * 4);
      assert(size <= given.length);
      if (isPlausible && isLinux) assertEquals(descriptors.slice(0, 2), [0, 0]);
    }),
    { numRuns: RUNS },
  );
});
