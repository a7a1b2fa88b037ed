"""All checks, in the order in which they are shown: what others depend on comes first."""

from grocery.doctor import (
    bell,
    certificates,
    clock,
    database,
    machine,
    mail,
    media,
    migrations,
    queues,
    relay,
    secrets,
    server,
    settings,
    shop,
    sms,
    stock,
    streams,
    work,
)
from grocery.doctor.examining import Check

CHECKS = (
    Check("settings", "Settings that do not fit a shop with customers.", settings.look),
    Check("secrets", "Secrets that can be guessed, or are the same.", secrets.look),
    Check("database", "PostgreSQL at each of its addresses.", database.look, 20),
    Check("server", "How PostgreSQL is run.", server.look, 15),
    Check("migrations", "Whether the tables are those of this program.", migrations.look),
    Check("redis", "Redis or Valkey.", bell.look, 15),
    Check("queues", "Workers of each queue.", queues.look, 15),
    Check("relay", "The relay.", relay.look),
    Check("work", "Orders, messages and imports that are overdue.", work.look, 20),
    Check("stock", "Whether stocks are the sums of their movements.", stock.look, 120),
    Check("sms", "The SMS provider.", sms.look, 15),
    Check("mail", "The mail server.", mail.look, 15),
    Check("media", "The store of pictures.", media.look, 15),
    Check("shop", "The shop at its public address.", shop.look, 15),
    Check("streams", "The stream process.", streams.look),
    Check("certificates", "Certificates, and how long they hold.", certificates.look, 40),
    Check("clock", "Clocks and time zones.", clock.look, 20),
    Check("machine", "Disks, temporary files and limits here.", machine.look),
)
