"""`flask auth audit`: the audit log, for the operator."""

from datetime import UTC, datetime

import click
import orjson
from flask.cli import with_appcontext

from grocery.auth.audit.reading import list_entries
from grocery.auth.audit.schemas import AuditEntrySchema
from grocery.commands import print_json, print_table
from grocery.db import Row

_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.command("audit")
@click.option("--actor-id", type=click.IntRange(1), help="Only what this person did.")
@click.option("--action", help="Only this: update_user, signed_in, 'auth set-role' …")
@click.option("--subject-type", help="Only what was done to one of these: customer, product, order …")
@click.option("--subject-id", type=click.IntRange(1), help="With --subject-type: which one.")
@click.option("--after", type=_TIME, help="From this time on, in UTC.")
@click.option("--before", type=_TIME, help="Up to this time, in UTC.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many entries.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def audit_command(
    limit: int, as_json: bool, after: datetime | None, before: datetime | None, **filters: object
) -> None:
    """Print who did what to whom, the newest first."""
    entries = list_entries({**filters, "after": _in_utc(after), "before": _in_utc(before)}, limit=limit)
    if as_json:
        print_json(AuditEntrySchema(many=True).dump(entries))
        return
    print_table(("WHEN (UTC)", "WHO", "WHAT", "TO", "DETAILS", "REQUEST"), [_row(entry) for entry in entries])


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=UTC)


def _row(entry: Row) -> tuple[object, ...]:
    who = f"{entry['actor_role']} {entry['actor_id']}" if entry["actor_id"] else entry["actor_role"]
    subject = f"{entry['subject_type']} {entry['subject_id']}" if entry["subject_id"] else None
    details = orjson.dumps(entry["details"]).decode() if entry["details"] else None
    return f"{entry['at']:%Y-%m-%d %H:%M:%S}", who, entry["action"], subject, details, entry["request_id"]
