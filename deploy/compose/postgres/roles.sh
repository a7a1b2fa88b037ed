#!/bin/sh
# Run once, by the image of PostgreSQL, when its volume is empty: a role for the shop that is no superuser, and its
# database.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$GROCERY_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE grocery LOGIN PASSWORD :'password';
CREATE DATABASE grocery OWNER grocery;
SQL
