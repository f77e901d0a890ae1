#!/usr/bin/env bash
# .ci/arm64.sh [DENO ARGUMENT...]: runs Deno for Linux on arm64 under qemu, in the current folder;
# without arguments, `deno --version`. Needs root on x86-64 Debian. The first run fetches what it
# needs into a cache.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
size="600 MB, about 10 seconds"

# In a mount namespace of its own: recent kernels forget the registration below with its mount.
[ -n "${ARM64_PRIVATE-}" ] || ARM64_PRIVATE=1 exec unshare --mount bash "$0" "$@"
unset ARM64_PRIVATE

build() {
  local from
  from=$(mirror)
  mkdir -p "$part/debian/usr/lib"
  ln -s usr/lib "$part/debian/lib"
  deno linux-arm64-glibc "$part"
  debs "$part/debian" "$from" qemu-user libc6:arm64 libgcc-s1:arm64
  # Options, not variables, so that children without our environment get them too. The processor is
  # Graviton2's, which has no pointer authentication: emulating that takes a fifth of the time.
  printf '#!/bin/sh\nexec %q -cpu neoverse-n1 -L %q "$@"\n' \
    "$home/debian/usr/bin/qemu-aarch64" "$home/debian" >"$part/run"
  chmod +x "$part/run"
}

# Lets the kernel start arm64 programs, so that Deno.Command(Deno.execPath()) works as everywhere.
register() {
  local binfmt=/proc/sys/fs/binfmt_misc entry=/proc/sys/fs/binfmt_misc/readiness-arm64
  local magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  step "mount binfmt_misc" mount -t binfmt_misc binfmt_misc "$binfmt"
  ! starts || return 0
  [ ! -e "$entry" ] || echo -1 >"$entry"
  printf %s ":readiness-arm64:M::$magic:$mask:$home/run:" >"$binfmt/register" ||
    die "cannot register qemu with the kernel"
  starts || die "Deno for arm64 does not start: $("$home/deno" --version 2>&1 | tail -n 1)"
}

starts() {
  "$home/deno" --version >/dev/null 2>&1
}

prepare
register
# Tests look up that they are emulated, and use a compiler for arm64 if there is one. DENO_DIR is
# its own, since caches depend on the version and the processor.
export READINESS_EMULATED=arm64 CC=${CC-aarch64-linux-gnu-gcc} DENO_DIR=$home/cache
exec "$home/deno" "${@:---version}" 9>&-
