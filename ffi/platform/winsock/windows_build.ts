import { abi } from "../../abi/host.ts";
import { libcCalls } from "../../libc.ts";

const calls = libcCalls({
  RtlGetVersion: { parameters: ["buffer"], result: "i32" },
}, abi.winsock?.libraries.native);

let build: number | undefined;

/** The build number of the Windows that runs, which other calls hide from programs like Deno. */
export function windowsBuild(): number {
  if (build !== undefined) return build;
  const { size, fields } = abi.winsock!.OSVERSIONINFOW;
  const version = new Uint32Array(size / 4);
  version[fields.dwOSVersionInfoSize[0] / 4] = size;
  calls().RtlGetVersion(version); // It does not fail.
  return build = version[fields.dwBuildNumber[0] / 4];
}
