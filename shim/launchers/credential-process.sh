#!/bin/sh
# credential_process for AWS SDKs: forwards the daemon's reply if it is a good one. Everything else goes to the
# TypeScript shim, which holds all the behaviour.
#
# This is the hot path: shell built-ins and one curl. Parts shared with other programs are repeated in each file
# instead of sourced: an upgrade then replaces a program by one rename, and no caller runs halves of two versions.
# A test keeps the copies the same.
set -u

# Reads the flags that name a profile. All other arguments are left to the TypeScript shim.
profile=
case $#,${1-} in
  0,) profile=${CCWB_PROFILE-} ;;
  1,--profile=*) profile=${1#--profile=} ;;
  1,-p?*) profile=${1#-p} ;;
  2,--profile | 2,-p) profile=$2 ;;
esac

# --- ask: the same in credential-process.sh and otel-helper.sh ---
# The characters are listed because a range such as a-z depends on the locale.
letters=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789

# Sets $socket to the path that protocol/paths.ts returns, or to nothing if only the TypeScript shim can tell.
find_socket() {
  home=${HOME-}
  case $home in
    /*) socket=$home/claude-code-with-bedrock/run/daemon.sock ;;
    *) socket= ;;
  esac
  if [ -n "${CCWB_SOCKET-}" ]; then
    socket=$CCWB_SOCKET
  elif [ -r /proc/self/status ]; then # Linux
    case ${XDG_RUNTIME_DIR-} in
      /*) socket=$XDG_RUNTIME_DIR/claude-code-with-bedrock/daemon.sock ;;
      *)
        uid=
        while read -r key real _; do
          if [ "$key" = Uid: ]; then
            uid=$real
            break
          fi
        done </proc/self/status
        usual=/run/user/$uid
        if [ -n "$uid" ] && [ -d "$usual" ] && [ ! -L "$usual" ] && [ -O "$usual" ]; then
          socket=$usual/claude-code-with-bedrock/daemon.sock
        fi
        ;;
    esac
  fi
  case $socket in
    /*) ;;
    *) socket= ;;
  esac
}

# Requests $1 of $profile from the daemon within $2 seconds. Returns 0 with the reply in $reply, 2 without a curl,
# 1 for anything else. The reply is captured first, so that half a reply is never printed.
ask() {
  case $profile in
    '' | *[!"$letters"._-]* | [._-]*) return 1 ;;
  esac
  [ "${#profile}" -le 64 ] || return 1
  find_socket
  # The socket and its directory must belong to this user.
  [ -S "$socket" ] && [ -O "$socket" ] && [ ! -L "$socket" ] || return 1
  [ -O "${socket%/*}" ] && [ ! -L "${socket%/*}" ] || return 1
  # Never from PATH, nor from folders where other users than root can install.
  for curl in /usr/bin/curl /bin/curl /run/current-system/sw/bin/curl; do
    [ -x "$curl" ] && break
  done
  [ -x "$curl" ] || return 2
  # -q ignores ~/.curlrc. LC_ALL=C makes 0.25 a number in every locale. OPENSSL_CONF=/dev/null saves a tenth of
  # curl's time: nothing here is encrypted. exec avoids a second process.
  reply=$(
    LC_ALL=C OPENSSL_CONF=/dev/null exec "$curl" -q -s -f --noproxy '*' --unix-socket "$socket" \
      --connect-timeout 0.25 --max-time "$2" "http://localhost/v1/profiles/$profile/$1" 2>/dev/null
  ) || return 1
  case $reply in
    '{'*'}') return 0 ;;
  esac
  return 1
}
# --- end of ask ---

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

if ask credentials 5; then
  printf '%s\n' "$reply"
  exit
fi
launch shim/credential-process.js "$@"
