/** Whether the tests run on Linux. */
export const isLinux: boolean = Deno.build.os === "linux";

/** Whether the tests run on Windows, or under Wine. */
export const isWindows: boolean = Deno.build.os === "windows";

/** Whether the tests run under Wine: `.ci/windows.sh` sets the variable. */
export const isWine: boolean = Deno.env.get("READINESS_EMULATED") === "windows";

/** Whether the tests run under qemu's user-mode emulation: `.ci/arm64.sh` sets the variable. */
export const isQemu: boolean = Deno.env.get("READINESS_EMULATED") === "arm64";
