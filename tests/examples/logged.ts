/** A line of an example's log: the time, and what follows it as a regular expression. */
export function logged(rest: string): RegExp {
  return RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z ${rest}$`);
}
