#!/bin/sh
# Shows one wall screen in Chromium, for ever: waits for the server, starts the browser again when it ends or crashes.
# kiosk-debian.sh https://ioc.example.gov.vn/wall?screen=man_1\&embed=true [file with the token of the screen]
set -eu
address=${1:?"error: give the address of the wall, for example https://ioc.example.gov.vn/wall?screen=man_1&embed=true"}
token_file=${2:-}
here=$(dirname "$0")
# One profile per screen, so that one machine may show several.
profile=${XDG_CACHE_HOME:-$HOME/.cache}/city-wall-$(printf '%s' "$address" | cksum | cut -d ' ' -f 1)
export BREAKPAD_DUMP_LOCATION="$profile/crashes"
server=$(printf '%s' "$address" | sed -E 's,^(https?://[^/]+).*,\1,')
host=$(printf '%s' "$server" | sed -E 's,^https?://,,; s,:[0-9]+$,,')
browser=$(command -v chromium || command -v google-chrome-stable) || {
  echo "error: no Chromium: apt-get install chromium" >&2
  exit 2
}

# Black where the browser is not yet, no pointer, no blanking of the screen; a compositor without X does this itself.
if [ -n "${DISPLAY:-}" ]; then
  command -v xsetroot >/dev/null && xsetroot -solid black
  command -v xset >/dev/null && xset s off -dpms s noblank
  command -v unclutter >/dev/null && unclutter -idle 1 &
fi

set --
while IFS= read -r flag; do
  case $flag in --*) set -- "$@" "$flag" ;; esac
done <"$here/kiosk.flags"
# The browser finds this one name and no other: nothing that it or a page would call can be reached.
set -- "$@" "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE $host" "--user-data-dir=$profile"
[ -n "${WAYLAND_DISPLAY:-}" ] && set -- "$@" --ozone-platform=wayland

running=
trap '[ -z "$running" ] || kill "$running" 2>/dev/null; exit 0' TERM INT HUP
while :; do
  # Never into the browser's own error page: 503 is a server that is there and has no fresh picture yet.
  until code=$(curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' "$server/api/health") &&
    { [ "$code" = 200 ] || [ "$code" = 503 ]; }; do
    sleep 2
  done
  opened=$address
  [ -z "$token_file" ] || opened="$address&token=$(cat "$token_file")"
  rm -rf "$BREAKPAD_DUMP_LOCATION" "$profile/Default/Sessions"
  "$browser" "$@" "$opened" &
  running=$!
  # A page that crashed leaves a browser with a sad face: its report is the sign to start anew.
  while kill -0 "$running" 2>/dev/null; do
    if find "$BREAKPAD_DUMP_LOCATION" -name '*.dmp' 2>/dev/null | grep -q .; then
      echo "the page has crashed: the browser is started again" >&2
      kill "$running" 2>/dev/null || true
      break
    fi
    sleep 5
  done
  wait "$running" || true
  running=
  sleep 1
done
