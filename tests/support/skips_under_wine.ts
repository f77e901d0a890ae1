import type { Skips } from "./show_skip_reasons.ts";

/** What Wine gets wrong, beside what Windows lacks. */
export const underWine: Skips = [
  ["Wine keeps SO_ERROR when it was read, and sets none for a reset", [
    "Socket.getOption() with SO_ERROR clears the error, as error() does",
  ]],
  ["Wine's recv() with MSG_OOB does not fail while there is no urgent byte", [
    "Socket.send() sends with MSG_OOB beside the stream",
  ]],
  ["Wine passes the number on that Linux's resolver gives", [
    "resolve() throws OSError when the number is of another family",
  ]],
  ["Wine says EINVAL", [
    "leaveGroup() throws OSError when the socket has not joined",
  ]],
];
