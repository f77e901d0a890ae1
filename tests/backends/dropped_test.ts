import { assertEquals, assertRejects } from "@std/assert";
import { announced, closeAll } from "../../backends/dropped.ts";
import { EVENT_READ, ready } from "../../mod.ts";
import { Pair } from "../support/descriptors.ts";

Deno.test("announced() makes the reactor forget the descriptor first", async () => {
  using ends = new Pair();
  const fd = ends.left.fileno();
  const order: string[] = [];
  const wait = ready(fd, EVENT_READ);
  const rejected = assertRejects(() => wait, Deno.errors.BadResource);
  closeAll([announced(fd, { close: () => order.push("closed") })]);
  await rejected;
  assertEquals(order, ["closed"]);
});
