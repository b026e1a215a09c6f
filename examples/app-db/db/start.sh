#!/bin/sh
# PostgreSQL as the container's only program: makes the cluster in an empty volume, then becomes the server.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=$(mktemp)
  printf '%s' "$POSTGRES_PASSWORD" > "$password"
  "$bin/initdb" --pgdata="$PGDATA" --username=app --pwfile="$password" --auth=scram-sha-256 --encoding=UTF8 >/dev/null
  rm -f "$password"
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  # The database that clients ask for is made before the server listens to them.
  echo 'CREATE DATABASE app;' | "$bin/postgres" --single -D "$PGDATA" postgres >/dev/null
fi
exec "$bin/postgres" -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/run/postgresql
