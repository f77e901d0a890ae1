import { assertEquals } from "@std/assert";
import { EVENT_READ, EVENT_WRITE } from "../../backends/events.ts";
import { fromPoll, toPoll } from "../../backends/poll_events.ts";

const IN = 1;
const OUT = 4;
const BOTH = EVENT_READ | EVENT_WRITE;

Deno.test("toPoll() turns each event into its bit", () => {
  assertEquals([0, EVENT_READ, EVENT_WRITE, BOTH].map((events) => toPoll(events, IN, OUT)), [
    0,
    IN,
    OUT,
    IN | OUT,
  ]);
});

Deno.test("fromPoll() turns each bit into its event", () => {
  assertEquals([0, IN, OUT, IN | OUT].map((mask) => fromPoll(mask, IN, OUT)), [
    0,
    EVENT_READ,
    EVENT_WRITE,
    BOTH,
  ]);
});

Deno.test("fromPoll() turns every other bit into both events", () => {
  for (const [name, bit] of Object.entries({ PRI: 2, ERR: 8, HUP: 16, NVAL: 32, RDHUP: 0x2000 })) {
    for (const mask of [bit, bit | IN, bit | OUT, bit | IN | OUT]) {
      assertEquals(fromPoll(mask, IN, OUT), BOTH, name);
    }
  }
});
