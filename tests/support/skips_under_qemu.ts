import type { Skips } from "./skip_by_name.ts";

/** What qemu gets wrong. */
export const underQemu: Skips = [
  ["qemu ends the process at a select() of more than 1,024 bits", [
    "SelectSelector.select() takes descriptors above 1023",
    "SelectSelector.unregister() of the highest lets the sets shrink",
    "SelectSelector.select() takes 5000 descriptors",
  ]],
];
