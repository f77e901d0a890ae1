import type { OSError } from "@readiness/selectors";

/** Returns why a call failed, such as `Connection refused (ECONNREFUSED)`, without what failed. */
export function reasonOf({ message }: OSError): string {
  return message.replace(/^.*: (?=[^:]*$)/, "");
}
