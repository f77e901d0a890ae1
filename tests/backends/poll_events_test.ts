import { assertEquals } from "@std/assert";
import { UNASKED } from "../../backends/backend.ts";
import { EVENT_HANGUP, EVENT_PRIORITY, EVENT_READ, EVENT_WRITE } from "../../backends/events.ts";
import { fromPoll, toPoll } from "../../backends/poll_events.ts";

const [IN, PRI, OUT, RDHUP] = [1, 2, 4, 0x2000];
const NUMBERS = [IN, OUT, PRI, RDHUP] as const;
const PAIRS = [[EVENT_READ, IN], [EVENT_WRITE, OUT], [EVENT_PRIORITY, PRI]] as const;

Deno.test("toPoll() turns each event into its bit", () => {
  for (const [event, bit] of [...PAIRS, [EVENT_HANGUP, RDHUP], [0, 0]] as const) {
    assertEquals(toPoll(event, ...NUMBERS), bit);
  }
  assertEquals(toPoll(15, ...NUMBERS), IN | OUT | PRI | RDHUP);
});

Deno.test("fromPoll() turns each bit into its event", () => {
  for (const [event, bit] of [...PAIRS, [0, 0]] as const) {
    assertEquals(fromPoll(bit, ...NUMBERS), event);
  }
  assertEquals(fromPoll(IN | OUT | PRI, ...NUMBERS), EVENT_READ | EVENT_WRITE | EVENT_PRIORITY);
});

Deno.test("fromPoll() turns the end of the peer's data into reading and a hang-up", () => {
  assertEquals(fromPoll(RDHUP, ...NUMBERS), EVENT_READ | EVENT_HANGUP);
  assertEquals(fromPoll(IN | RDHUP, ...NUMBERS), EVENT_READ | EVENT_HANGUP);
});

Deno.test("fromPoll() turns every other bit into all events but EVENT_PRIORITY", () => {
  const all = EVENT_READ | EVENT_WRITE | EVENT_HANGUP | UNASKED;
  for (const [name, bit] of Object.entries({ ERR: 8, HUP: 16, NVAL: 32 })) {
    for (const mask of [bit, bit | IN, bit | OUT, bit | IN | OUT | RDHUP]) {
      assertEquals(fromPoll(mask, ...NUMBERS), all, name);
    }
    assertEquals(fromPoll(bit | PRI, ...NUMBERS), all | EVENT_PRIORITY, name);
  }
});
