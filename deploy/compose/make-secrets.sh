#!/bin/sh
# Make secrets.env and database.env beside this file, with random passwords. Never changes files that are there.
set -eu
cd "$(dirname "$0")"
umask 077

for file in secrets.env database.env; do
    if [ -e "$file" ]; then
        echo "$PWD/$file is there already, so nothing was made." >&2
        exit 1
    fi
done

random() { # 43 letters, figures, - and _
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'
}
password=$(random)

cat > database.env <<END
# Passwords of PostgreSQL: of its superuser, and of the role of the shop. PostgreSQL takes them when its volume is empty.
POSTGRES_PASSWORD=$(random)
GROCERY_PASSWORD=$password
END

cat > secrets.env <<END
# Settings of the shop, the secret ones and any others of docs/settings.md. Keep a copy where the backups are not.
DATABASE_URL=postgresql://grocery:$password@pgbouncer:6432/grocery
DATABASE_DIRECT_URL=postgresql://grocery:$password@postgres:5432/grocery
SECRET_KEY=$(random)
JWT_SECRET_KEYS=$(date +%Y%m%d):$(random)
AT_CALLBACK_SECRET=$(random)
MAIL_CALLBACK_SECRET=$(random)
SHOP_NAME=Grocery
SHOP_URL=http://localhost:8080
END
echo "Made $PWD/secrets.env and $PWD/database.env."
