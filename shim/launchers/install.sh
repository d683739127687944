#!/bin/sh
# Installs the package in this folder for the user who runs it, or upgrades an existing installation. Needs only a
# shell: no sudo, no Python, no curl. Checks that the package is complete and for this machine, and finds a Node.js.
# The installer itself is shim/install.js, which also has the options.
set -u

# Reports an error and its fix on standard error, and exits.
fail() { # $1: what went wrong, $2: the fix, $3: the error code
  printf '%s: %s (%s)\n  fix: %s\n' ./install.sh "$1" "$3" "$2" >&2
  case $3 in
    ERR_USAGE) exit 2 ;;
  esac
  exit 1
}

unpack_again='unpack the archive again; if that is no help, get it again from your administrator'

# Finds the folder of this file, through any links.
self=$0
while [ -L "$self" ]; do
  target=$(PATH=/usr/bin:/bin:${PATH-} && readlink "$self") || break
  case $target in
    /*) self=$target ;;
    *) self=${self%/*}/$target ;;
  esac
done
case $self in
  */*) ;;
  *) self=./$self ;;
esac
here=$(CDPATH='' cd -- "${self%/*}/" >/dev/null 2>&1 && pwd -P) || here=
for file in SHA256SUMS shim/install.js config.json version.json; do
  if [ ! -r "$here/$file" ]; then
    fail "$file of the package is not beside this file" \
      'run install.sh in the folder that the archive unpacks to, with all that is in it' ERR_PACKAGE_INVALID
  fi
done

# An installation belongs to one user: root would leave files in that home that the user cannot change.
case ${HOME-} in
  /*) ;;
  *) fail 'HOME is not set to a folder' 'set HOME to your home folder' ERR_USAGE ;;
esac
if [ "$(id -u)" = 0 ] && { [ "${SUDO_UID:-0}" != 0 ] || [ ! -O "$HOME" ]; }; then
  fail "this runs as root, and an installation in $HOME belongs to the user who signs in" \
    'run ./install.sh as yourself, without sudo' ERR_USAGE
fi

# The package must be for this platform: folders of native libraries are named after theirs.
case $(uname -s) in
  Darwin) platform=darwin ;;
  Linux) platform=linux ;;
  *) fail "there are packages for macOS and Linux, and this is $(uname -s)" \
    'ask your administrator' ERR_PACKAGE_INVALID ;;
esac
case $(uname -m) in
  x86_64 | amd64) platform=$platform-x64 ;;
  arm64 | aarch64) platform=$platform-arm64 ;;
  *) fail "there are packages for x64 and arm64, and this machine is $(uname -m)" \
    'ask your administrator' ERR_PACKAGE_INVALID ;;
esac
packed=
for folder in "$here"/daemon/node_modules/keytar/prebuilds/*; do
  [ -d "$folder" ] && packed="$packed ${folder##*/}"
done
case "$packed " in
  ' ' | *" $platform "*) ;;
  *) fail "this package is for$packed, and this machine is $platform" \
    "take the archive for $platform" ERR_PACKAGE_INVALID ;;
esac

# Checks every file against its checksum, with the program that the machine has. Node.js checks them again.
damaged() { fail "the package is damaged: $1" "$unpack_again" ERR_PACKAGE_INVALID; }
first_failure() { # prints the first file that a checksum program reported
  while IFS= read -r line; do
    case $line in
      *FAILED*) printf '%s\n' "${line%%: FAILED*} is not as it was packed" && return ;;
    esac
  done
  echo 'a file is missing or is not as it was packed'
}
# On a Mac a program called sha256sum may take other options.
if [ "${platform%-*}" = linux ] && command -v sha256sum >/dev/null; then
  sums=$(cd "$here" && LC_ALL=C sha256sum -c SHA256SUMS 2>/dev/null) ||
    damaged "$(printf '%s\n' "$sums" | first_failure)"
elif command -v shasum >/dev/null; then
  sums=$(cd "$here" && LC_ALL=C shasum -a 256 -c SHA256SUMS 2>/dev/null) ||
    damaged "$(printf '%s\n' "$sums" | first_failure)"
elif command -v openssl >/dev/null; then
  while read -r sum file; do
    file=${file#\*}
    found=$(openssl dgst -sha256 -r "$here/$file" 2>/dev/null) || damaged "$file is missing"
    [ "${found%% *}" = "$sum" ] || damaged "$file is not as it was packed"
  done <"$here/SHA256SUMS"
else
  echo 'There is no sha256sum, shasum or openssl here: only Node.js checks the package.' >&2
fi

# Uses the Node.js of the package, or the machine's own if the package has none.
is_new_enough() { # $1: the output of node -v
  version=${1#v}
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%.*}
  case $major$minor in
    '' | *[!0123456789]*) return 1 ;;
  esac
  [ "$major" -gt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; }
}
# NODE_OPTIONS is set for the user's own Node.js programs: a debugger or a loader must not run here.
unset NODE_OPTIONS
node=$here/runtime/bin/node
if [ ! -e "$node" ]; then
  node=$(command -v node) || fail 'the package has no Node.js, and neither has this machine' \
    'install Node.js 20.19 or newer, then run it again' ERR_INSTALL_INCOMPLETE
  version=$("$node" -v 2>/dev/null) || version=
  is_new_enough "$version" || fail "$node is Node.js ${version:-of no known version}; 20.19 or newer is needed" \
    'install Node.js 20.19 or newer, then run it again' ERR_INSTALL_INCOMPLETE
elif ! "$node" -v >/dev/null 2>&1; then
  fail "$node does not run on this machine: $("$node" -v 2>&1 | head -n 1)" \
    'unpack the archive where programs may be run, such as your home; an old Linux or Alpine cannot run it' \
    ERR_INSTALL_INCOMPLETE
fi
exec "$node" "$here/shim/install.js" "$@"
