import { assertEquals } from "@std/assert";
import { Sweep } from "../../../examples/support/sweep.ts";
import type { FileDescriptor } from "../../../ffi/fd/mod.ts";
import { DefaultSelector } from "../../../mod.ts";
import { linuxOnly } from "../../support/skip.ts";

Deno.test(
  "Sweep calls its functions once a second, and stops its timer without any",
  linuxOnly,
  () => {
    using selector = new DefaultSelector<(events: number) => void, FileDescriptor>();
    const sweep = new Sweep(selector);
    const [timer] = selector.getMap().values();
    using _timer = timer!.fileobj;
    const isRunning = () =>
      !/^it_value: \(0, 0\)$/m.test(Deno.readTextFileSync(`/proc/self/fdinfo/${timer!.fd}`));
    assertEquals(isRunning(), false);

    let calls = 0;
    sweep.add(check);
    assertEquals([isRunning(), sweep.timeout, sweep.size], [true, undefined, 1]);
    while (sweep.now === 0) {
      for (const [key, events] of selector.select()) key.data(events);
      sweep.update();
    }
    assertEquals([calls, sweep.size, isRunning()], [1, 0, false]);
    sweep.add(check);
    assertEquals(isRunning(), true);

    function check(): void {
      calls++;
      sweep.delete(check);
    }
  },
);
