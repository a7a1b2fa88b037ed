#!/bin/sh
# Write the list of users, which is all that PgBouncer must know in secret, and become PgBouncer.
set -eu
umask 077
printf '"grocery" "%s"\n' "${GROCERY_PASSWORD:?GROCERY_PASSWORD must be set}" > /tmp/userlist.txt
exec pgbouncer /etc/pgbouncer/pgbouncer.ini
