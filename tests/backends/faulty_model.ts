/**
 * Compares a class with the model while calls of libc fail.
 *
 *     FAULTY_LIBC=PATH FAULTS="epoll_ctl=ENOSPC/9" \\
 *       deno run --allow-all tests/backends/faulty_model.ts CLASS RUNS
 *
 * @module
 */

import "../support/use_faulty_libc.ts";
import fc from "fast-check";
import { property } from "./model.ts";
import { backends } from "./modelled_backends.ts";

const [name, runs] = Deno.args;
const codes = [...Deno.env.get("FAULTS")!.matchAll(/=(\w+)/g)].map(([, code]) => code!);
const faults = new Set(codes.filter((code) => code !== "EINTR")); // Nobody sees EINTR.
const backend = backends.find((backend) => backend.name === name)!;
await fc.assert(property({ ...backend, faults }), { numRuns: Number(runs) });
Deno.exit();
