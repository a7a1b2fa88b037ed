"""Whether the tables are those of this program."""

from collections.abc import Iterator

from flask import current_app
from psycopg2.errors import UndefinedTable

from grocery.doctor.asking import asking
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, hint, ok

_REMEDY = "Run: flask --app wsgi migrate (back up before it: docs/data.md)."


def look(patient: Patient) -> Iterator[Finding]:
    is_head: dict[str, bool] = current_app.extensions["migrations"]
    try:
        with asking(patient.engines.connect_directly) as questions:
            applied = [revision for (revision,) in questions.rows("SELECT version_num FROM alembic_version")]
    except UndefinedTable:
        applied = []
    if not applied:
        yield failure("The database has no tables yet.", _REMEDY)
    elif len(applied) > 1:
        yield failure(f"The database has several versions at once: {', '.join(applied)}.", "Restore a backup.")
    elif applied[0] not in is_head:
        what = f"The database is at {applied[0]}, which is newer than this program."
        yield hint(what, "That is right after a roll-back; otherwise update the program.")
    elif not is_head[applied[0]]:
        yield failure(f"The database is at {applied[0]} and awaits a migration.", _REMEDY)
    else:
        yield ok(f"The database is at {applied[0]}, the version of this program.")
