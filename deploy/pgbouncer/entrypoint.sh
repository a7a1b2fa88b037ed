#!/bin/sh
# Become PgBouncer. The list of users is all that it must know in secret: where none is mounted, it is written.
set -eu
if [ ! -e /etc/pgbouncer/userlist.txt ]; then
    umask 077
    printf '"grocery" "%s"\n' "${GROCERY_PASSWORD:?GROCERY_PASSWORD must be set}" > /tmp/userlist.txt
fi
# A file for each client (max_client_conn) and each server, where the engine allows 1,024 unless told otherwise.
ulimit -S -n 4096 2> /dev/null || ulimit -S -n "$(ulimit -H -n)"
exec pgbouncer /etc/pgbouncer/pgbouncer.ini
