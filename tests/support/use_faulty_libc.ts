/**
 * Has the package call the libc that the environment names: tests/fakes/faulty_libc.c. Import it
 * before anything else.
 *
 * @module
 */

import { abi } from "../../ffi/abi/mod.ts";

(abi.libc as string[]).unshift(Deno.env.get("FAULTY_LIBC")!);
