#!/bin/sh
# bedrock-authd, the daemon: starts daemon/index.js. Service managers run this file, and users can run it.
set -u

# --- launch: the same in every program of the installation ---
# Reports on standard error that $1 is missing and that $2 is the fix, and exits.
incomplete() {
  printf '%s: %s (ERR_INSTALL_INCOMPLETE)\n  fix: %s\n' "${0##*/}" "$1" "$2" >&2
  exit 1
}

# Replaces this process with the Node.js program $1, a path in the folder of this file. Uses the Node.js of that
# folder, or else the one on the PATH. Options of Node.js go before $1.
launch() {
  options=
  while case $1 in --*) ;; *) false ;; esac do
    options="$options $1"
    shift
  done
  entry=$1
  shift
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
  directory=$(CDPATH='' cd -- "${self%/*}/" >/dev/null 2>&1 && pwd -P) || directory=
  if [ ! -r "$directory/$entry" ]; then
    incomplete "${directory:-${self%/*}}/$entry is missing" 'run install.sh of the package again'
  fi
  node=$directory/runtime/bin/node
  if [ ! -x "$node" ]; then
    install='run install.sh of the package again, or install Node.js 20.19 or newer'
    node=$(command -v node) || incomplete "no Node.js: neither $node nor one on the PATH" "$install"
    version=$("$node" -v 2>/dev/null) || version=
    version=${version#v}
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    case $major$minor in
      '' | *[!0123456789]*) incomplete "$node does not tell its version" "$install" ;;
    esac
    if [ "$major" -lt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -lt 19 ]; }; then
      incomplete "$node is Node.js $version; 20.19 or newer is needed" "$install"
    fi
  fi
  # NODE_OPTIONS is set for the user's own Node.js programs: a debugger or a loader must not run here.
  unset NODE_OPTIONS
  # shellcheck disable=SC2086 # $options holds only words of this file
  exec "$node" $options "$directory/$entry" "$@"
}
# --- end of launch ---

# The daemon's memory holds tokens: no core dumps, and no files that other users can read.
# shellcheck disable=SC3045 # not in POSIX, but in each shell that is /bin/sh on a supported platform
ulimit -c 0
umask 077
# The daemon is idle most of the time: these options prefer less memory to more speed (see start-daemon.ts).
launch --max-semi-space-size=1 --optimize-for-size --max-lazy daemon/index.js "$@"
