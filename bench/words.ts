import type { Metric } from "./results.ts";

/** Writes a whole number: `19,000`. */
export function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** Writes a figure with three digits that count. */
export function figure(number: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(number) || 1)));
  return number.toLocaleString("en-US", {
    minimumFractionDigits: Math.min(digits, 2),
    maximumFractionDigits: Math.min(digits, 2),
  });
}

/** Writes nanoseconds in the unit that fits: `369 ns`, `1.38 µs`. */
export function duration(ns: number): string {
  if (ns < 1000) return `${figure(ns)} ns`;
  return ns < 1e6 ? `${figure(ns / 1e3)} µs` : `${figure(ns / 1e6)} ms`;
}

/** The metric of most works. */
export const CPU_A_CALL: Metric = {
  name: "cpu",
  title: "CPU a call",
  unit: "ns",
  better: "less",
};
