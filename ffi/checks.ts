/**
 * Gives a group of the tables that not every system has.
 *
 * @param group The group, `undefined` where the system lacks it
 * @param subject What cannot be made without it
 * @param missing What the system lacks
 * @throws {Deno.errors.NotSupported} If it lacks it
 */
export function need<T>(group: T | undefined, subject: string, missing: string): T {
  if (group === undefined) {
    throw new Deno.errors.NotSupported(
      `Cannot make ${
        /^[AEIO]/i.test(subject) ? "an" : "a"
      } ${subject}: ${Deno.build.os} has no ${missing}`,
    );
  }
  return group;
}
