// The former name of mod.ts, until every import has moved.
export { abi, tableOf } from "./mod.ts";
