import { abi } from "../../abi/mod.ts";
import { libcCalls } from "../../libc.ts";

const calls = libcCalls({
  RtlGetVersion: { parameters: ["buffer"], result: "i32" },
}, abi.winsock?.libraries.native);

let build: number | undefined;

/**
 * Returns the build number of the running Windows. All other calls hide it from programs without
 * a manifest.
 */
export function windowsBuild(): number {
  return build ??= readBuild();
}

function readBuild(): number {
  const { size, fields } = abi.winsock!.OSVERSIONINFOW;
  const version = new Uint32Array(size / 4);
  version[fields.dwOSVersionInfoSize[0] / 4] = size;
  calls().RtlGetVersion(version); // It does not fail.
  return version[fields.dwBuildNumber[0] / 4]!;
}
