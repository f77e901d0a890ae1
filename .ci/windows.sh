#!/usr/bin/env bash
# .ci/windows.sh [DENO ARGUMENT...]: runs Deno for Windows under Wine, in the current folder;
# without arguments, `deno --version`. The repository, or else the current folder, has the same path
# on drive Z:. One run at a time. Needs root on x86-64 Debian. The first run fetches what it needs
# into a cache.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
size="2 GB, one to two minutes"

# In namespaces of its own: mounts and Wine's server end with the run, however it ends.
if [ -z "${WINDOWS_PRIVATE-}" ]; then
  # On a terminal Wine would draw a console of its own.
  [ ! -t 0 ] || exec </dev/null
  [ ! -t 1 ] || exec > >(cat)
  [ ! -t 2 ] || exec 2> >(cat >&2)
  WINDOWS_PRIVATE=1 setpriv --pdeathsig KILL \
    unshare --mount --pid --mount-proc --fork --kill-child bash "$0" "$@"
  exit
fi
unset WINDOWS_PRIVATE

build() {
  local from
  from=$(mirror)
  command -v wget >/dev/null || {
    step "read Debian's list of packages" apt-get update
    step "install wget, which debootstrap needs" \
      apt-get install --yes --no-install-recommends wget
  }
  mkdir "$part/tools"
  debs "$part/tools" "$from" debootstrap
  step "install Wine" env DEBOOTSTRAP_DIR="$part/tools/usr/share/debootstrap" \
    "$part/tools/usr/sbin/debootstrap" --variant=minbase --include=wine64 \
    "$suite" "$part/debian" "$from"
  rm -r "$part/tools" "$part"/debian/var/cache/apt/archives/*.deb
  mkdir "$part/debian/opt/deno"
  deno win32-x64 "$part/debian/opt/deno"
  enter "$part/debian"
  step "set Wine up" inside "$part/debian" / wineboot --init
  step "set Wine up" \
    chroot "$part/debian" env WINEPREFIX=/opt/wine /usr/lib/wine/wineserver -w
  umount --recursive "$part/debian/proc" "$part/debian/dev"
}

# enter FOLDER: gives the system in it this machine's devices, names and certificates
enter() {
  mount --rbind /proc "$1/proc"
  mount --rbind /dev "$1/dev"
  cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
  cat "${DENO_CERT:-/etc/ssl/certs/ca-certificates.crt}" >"$1/etc/deno.pem" ||
    die "cannot find certificates for Deno"
}

# inside FOLDER DIRECTORY PROGRAM...: runs a Windows program in the system in FOLDER, in DIRECTORY
inside() {
  local root=$1 directory=$2
  shift 2
  chroot "$root" env -C "$directory" \
    -u DISPLAY -u WAYLAND_DISPLAY -u DENO_DIR -u NODE_EXTRA_CA_CERTS \
    HOME=/opt WINEPREFIX=/opt/wine WINEDEBUG=-all WINEPATH='Z:\opt\deno' \
    WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe,winedbg.exe=' \
    DENO_CERT='Z:\etc\deno.pem' DENO_DISABLE_NODE_SHIM=1 READINESS_EMULATED=windows \
    /usr/lib/wine/wine64 "$@"
}

prepare
root=$home/debian
top=$(git rev-parse --show-toplevel 2>/dev/null) || top=$PWD
[ "$top" != / ] || die "cannot mount / inside: run it in another folder"
enter "$root"
mkdir -p "$root$top"
mount --rbind "$top" "$root$top"
inside "$root" "$PWD" 'Z:\opt\deno\deno.exe' "${@:---version}"
