#!/bin/sh
# A proven copy of the store, with the server stopped for some seconds: backup.sh /mnt/backup [days that copies are kept]
# Run as root, by a timer or by hand. The walls keep their last picture meanwhile, say so, and come back by themselves.
set -eu
umask 077  # the store holds names and addresses of people
target=${1:?"error: give the folder for the copies, on another disk"}
keep_days=${2:-30}
service=${CITY_SERVICE:-city}
home=${CITY_HOME:-/opt/city}
store=${CITY_STORE:-/var/lib/city/city.duckdb}
copy=$target/city-$(date -u +%Y%m%dT%H%M%SZ).duckdb
cd "$home"

systemctl stop "$service"
trap 'systemctl start "$service"' EXIT
.venv/bin/python -m store backup "$copy" --path "$store"
.venv/bin/python -m store audit --head --path "$store" >"$copy.head"
systemctl start "$service"
trap - EXIT
# A copy that was never opened is a hope: this proves tables and audit log of the copy, against the head just noted.
.venv/bin/python -m store verify --path "$copy" --audit-head "$(cat "$copy.head")"
find "$target" -name 'city-*.duckdb*' -mtime "+$keep_days" -delete
