# What arm64.sh and windows.sh share: a cache outside the repository, filled from npm and Debian,
# which leaves the machine's own packages unchanged. Each folder in it is made under another name
# first, so that it is whole or absent.
# shellcheck shell=bash

deno_version=2.9.6
suite=trixie
script=$(basename "$0" .sh)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/readiness-selectors
home=$cache/$script-$deno_version
part=$home.part
log=$cache/$script.log

die() {
  echo "$0: $*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || die "needs root"
[ "$(dpkg --print-architecture)" = amd64 ] || die "needs an x86-64 Debian"

# step WHAT COMMAND...: runs the command with its output in the log
step() {
  local what=$1
  shift
  [ -d "$home" ] || echo "$0: $what" >&2
  "$@" >>"$log" 2>&1 </dev/null || die "cannot $what (more in $log):"$'\n'"$(tail -n 5 "$log")"
}

# prepare: calls `build` to fill $part, which then becomes $home, unless an earlier run did. Holds
# the lock (9) from here on.
prepare() {
  mkdir -p "$cache"
  exec 9>"$cache/$script.lock"
  flock --nonblock 9 || {
    echo "$0: waiting for another run to end" >&2
    flock 9
  }
  [ ! -d "$home" ] || return 0
  echo "$0: fetching what it needs into $home: $size, once" >&2
  rm -rf --one-file-system "$part"
  mkdir "$part"
  : >"$log"
  trap 'rm -rf --one-file-system "$part"' EXIT
  build
  trap - EXIT
  mv "$part" "$home"
}

# deno PLATFORM FOLDER: gets Deno for the platform from npm
deno() {
  step "fetch Deno for $1 from npm" \
    npm pack --loglevel error --fetch-retries 1 --pack-destination "$part" "@deno/$1@$deno_version"
  step "unpack Deno" \
    tar -xzf "$part/deno-$1-$deno_version.tgz" -C "$2" --strip-components 1
  rm "$part/deno-$1-$deno_version.tgz"
}

# mirror: prints where this machine gets Debian from
mirror() {
  local codename
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  apt-get -o Debug::NoLocking=1 update --print-uris |
    awk -F "'" -v end="/dists/$codename/InRelease" '
      !found && $2 ~ "^http" && (at = index($2, end)) { print substr($2, 1, at - 1); found = 1 }
      END { exit !found }' || die "apt's configuration names no http mirror of Debian $codename"
}

# debs FOLDER MIRROR PACKAGE...: unpacks packages of $suite into the folder
debs() {
  local folder=$1 mirror=$2 apt=$part/apt deb
  shift 2
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [arch=amd64,arm64 signed-by=$keyring] $mirror $suite main" >"$apt/sources.list"
  local options=(-o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=-
    -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt" -o APT::Architectures::=amd64
    -o APT::Architectures::=arm64 -o APT::Sandbox::User=root)
  step "read Debian's list of packages" apt-get "${options[@]}" update --error-on=any
  step "fetch $* from Debian" env -C "$apt" apt-get "${options[@]}" download "$@"
  for deb in "$apt"/*.deb; do
    step "unpack $(basename "$deb")" dpkg-deb -x "$deb" "$folder"
  done
  rm -r "$apt"
}
