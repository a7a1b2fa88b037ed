"""The copy of one's data as a file."""

from datetime import UTC, datetime

from flask import Response, jsonify

from grocery.auth.people import Person
from grocery.auth.privacy.exporting import export_person
from grocery.auth.throttling.tries import limit_costly
from grocery.db import transaction


def export_file(person: Person) -> Response:
    """All of one's data as JSON, to be saved under a name of its own. Raises TooManyRequestsError."""
    limit_costly(person.id, "export")
    with transaction():
        copy = export_person(person)
    response = jsonify(copy)
    name = f"my-data-{datetime.now(UTC):%Y-%m-%d}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
