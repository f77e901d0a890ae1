/** The machine that the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  /** The limit of open files per process. */
  readonly openFiles: number;
  /** The load average of the minute before the run. */
  readonly load: number;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  const cpu = read("/proc/cpuinfo").match(/^model name\s*: (.*)$/m)?.[1] ?? Deno.build.arch;
  const limit = read("/proc/self/limits").match(/^Max open files +\S+ +(\d+)/m)?.[1];
  return {
    cpu,
    cores: navigator.hardwareConcurrency,
    memory: `${(Deno.systemMemoryInfo().total / 2 ** 30).toFixed(0)} GiB`,
    system: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
    openFiles: limit === undefined ? 1024 : Number(limit),
    load: Deno.loadavg()[0]!,
  };
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
