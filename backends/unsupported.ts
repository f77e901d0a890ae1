/** The error of a backend whose system calls this system lacks. */
export function unsupported(backend: string, missing: string): Deno.errors.NotSupported {
  return new Deno.errors.NotSupported(
    `Cannot make ${
      /^[AEIO]/.test(backend) ? "an" : "a"
    } ${backend}: ${Deno.build.os} has no ${missing}; ` +
      "DefaultSelector takes what the system has",
  );
}
