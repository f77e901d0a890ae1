/**
 * Numbers as text.
 *
 * @module
 */

/** Formats a whole number: `19,000`. */
export function formatCount(number: number): string {
  return number.toLocaleString("en-US");
}

/** Formats a number with three significant digits, and at most two after the point. */
export function formatFigure(number: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(number) || 1)));
  return number.toLocaleString("en-US", {
    minimumFractionDigits: Math.min(digits, 2),
    maximumFractionDigits: Math.min(digits, 2),
  });
}

/** Formats nanoseconds in the unit that fits: `369 ns`, `1.38 µs`. */
export function formatDuration(ns: number): string {
  if (ns < 1000) return `${formatFigure(ns)} ns`;
  return ns < 1e6 ? `${formatFigure(ns / 1e3)} µs` : `${formatFigure(ns / 1e6)} ms`;
}

/** Formats a count of things: `1 connection`, `1,000 connections`. */
export function formatQuantity(number: number, noun: string): string {
  return `${formatCount(number)} ${noun}${number === 1 ? "" : "s"}`;
}
