/**
 * The rules that every backend follows.
 *
 * @module
 */

import { testAbort } from "./suite/abort.ts";
import { testArguments } from "./suite/arguments.ts";
import { testAsync } from "./suite/async.ts";
import type { Backend } from "./suite/backend.ts";
import { testEvents } from "./suite/events.ts";
import { testIterator } from "./suite/iterator.ts";
import { testLifetime } from "./suite/lifetime.ts";
import { testMap } from "./suite/map.ts";
import { testMasks } from "./suite/masks.ts";
import { testModes } from "./suite/modes.ts";
import { testRegistration } from "./suite/registration.ts";
import { testStaleness } from "./suite/staleness.ts";
import { testTimeouts } from "./suite/timeouts.ts";
import { testWaking } from "./suite/waking.ts";

export type { Backend };

/**
 * Declares the tests of every rule for one backend.
 *
 * @example
 * ```ts ignore
 * sharedSuite({
 *   name: "PollSelector",
 *   create: () => new PollSelector(),
 *   source: "new selectors.PollSelector()",
 *   descriptorsAreChecked: false,
 *   seesReuse: false,
 * });
 * ```
 */
export function sharedSuite(backend: Backend): void {
  testArguments(backend);
  testRegistration(backend);
  testMap(backend);
  testMasks(backend);
  testEvents(backend);
  testModes(backend);
  testTimeouts(backend);
  testStaleness(backend);
  testAsync(backend);
  testAbort(backend);
  testIterator(backend);
  testWaking(backend);
  testLifetime(backend);
}
