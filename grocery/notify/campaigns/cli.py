"""`flask notify campaign …`: offers to all who want to hear of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from marshmallow import ValidationError

from grocery.commands import CommandGroup, print_json, print_table
from grocery.config import LANGUAGES
from grocery.db import name_subject, transaction
from grocery.errors import InvalidError
from grocery.notify.campaigns import reading, service
from grocery.notify.campaigns.models import CAMPAIGN_STATUSES
from grocery.notify.campaigns.schemas import WriteCampaignSchema
from grocery.notify.campaigns.states import ACTIONS
from grocery.notify.models import CHANNELS

campaign_cli = CommandGroup("campaign", help="One text to all customers who want to hear of offers.")

_ID = click.IntRange(1, 2**63 - 1)
_HELP = {
    "start": "Start a campaign: its messages are written and sent.",
    "pause": "Pause a campaign: what waits is held.",
    "resume": "Go on with a paused campaign.",
    "cancel": "Call a campaign off: what waits is deleted.",
}


@campaign_cli.command("list")
@click.option("--status", type=click.Choice(CAMPAIGN_STATUSES), help="Only campaigns in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_campaigns(status: str | None, limit: int, as_json: bool) -> None:
    """List campaigns, the newest first."""
    campaigns = reading.list_campaigns(status=status, limit=limit)
    if as_json:
        print_json(campaigns)
        return
    rows = [
        (one["id"], one["name"], one["channel"], one["status"], one["audience"], one["queued"], *_told(one))
        for one in campaigns
    ]
    print_table(("ID", "NAME", "CHANNEL", "STATUS", "AUDIENCE", "WRITTEN", "WAITING", "SENT", "FAILED"), rows)


@campaign_cli.command("show")
@click.argument("campaign_id", type=_ID)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_campaign(campaign_id: int, as_json: bool) -> None:
    """Show a campaign: its texts, how far it is, and what became of the messages."""
    _print(reading.get_campaign(campaign_id), as_json)


@campaign_cli.command("create")
@click.argument("name")
@click.option("--channel", type=click.Choice(CHANNELS), required=True, help="How it is sent.")
@click.option("--text", "en", help='The words in English. Of a file: --text "$(cat offer.txt)"')
@click.option("--text-sw", "sw", help="The words in Swahili.")
@click.option("--subject", "en_subject", help="Of the English e-mail.")
@click.option("--subject-sw", "sw_subject", help="Of the Swahili e-mail.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create_campaign(name: str, channel: str, as_json: bool, **texts: str | None) -> None:
    """Write a campaign called NAME. Nothing is sent before it is started."""
    given = {
        language: {"subject": texts[f"{language}_subject"], "body": texts[language] or ""}
        for language in LANGUAGES
        if texts[language] is not None or texts[f"{language}_subject"] is not None
    }
    with _errors_by_option():
        values = WriteCampaignSchema().load({"name": name, "channel": channel, "texts": given})
        with transaction():
            campaign_id = service.create_campaign(values)
    _print(reading.get_campaign(campaign_id), as_json)


@campaign_cli.command("test")
@click.argument("campaign_id", type=_ID)
@click.argument("recipient")
@click.option("--language", type=click.Choice(LANGUAGES), help="By default the shop's own.")
def test_campaign(campaign_id: int, recipient: str, language: str | None) -> None:
    """Send one message of a campaign to RECIPIENT, a phone number or an e-mail address, at once."""
    with transaction():
        name_subject("campaign", campaign_id)
        message = service.send_test(campaign_id, recipient, language)
    click.echo(f"Notification {message['id']} to {message['recipient']} waits to be sent.")


def _add_move(action: str) -> None:
    @campaign_cli.command(action, help=_HELP[action])
    @click.argument("campaign_id", type=_ID)
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def move(campaign_id: int, as_json: bool) -> None:
        with transaction():
            name_subject("campaign", campaign_id)
            service.move_campaign(campaign_id, action)
        campaign = reading.get_campaign(campaign_id)
        if as_json:
            print_json(campaign)
        else:
            click.echo(f"Campaign {campaign_id} ({campaign['name']}) is {campaign['status']}.")


for _action in ACTIONS:
    _add_move(_action)


@contextmanager
def _errors_by_option() -> Iterator[None]:
    """The errors of nested fields as one line for each."""
    try:
        yield
    except ValidationError as error:
        raise InvalidError("No campaign was made.", errors=_by_path(error.normalized_messages())) from error
    except InvalidError as error:
        raise InvalidError("No campaign was made.", errors=_by_path(error.members["errors"])) from error


def _by_path(errors: Mapping[Any, Any], before: str = "") -> dict[str, list[str]]:
    flat: dict[str, list[str]] = {}
    for name, below in errors.items():
        path = f"{before}{name}"
        flat |= _by_path(below, f"{path}.") if isinstance(below, Mapping) else {path: below}
    return flat


def _print(campaign: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(campaign)
        return
    waiting, sent, failed = _told(campaign)
    click.echo(f"Campaign {campaign['id']}: {campaign['name']} ({campaign['channel']}, {campaign['status']})")
    click.echo(f"Written: {campaign['queued']} of {campaign['audience']}")
    click.echo(f"Waiting: {waiting}, sent: {sent}, failed: {failed}, unknown: {campaign['counts']['unknown']}")
    for language, written in campaign["texts"].items():
        parts = f" ({campaign['parts'][language]} SMS)" if campaign["parts"] else ""
        subject = f"{written['subject']}\n\n" if written["subject"] else ""
        click.echo(f"\n[{language}]{parts}\n{subject}{written['body']}")


def _told(campaign: dict[str, Any]) -> tuple[int, int, int]:
    """How many wait, were sent, and failed."""
    counts = campaign["counts"]
    return counts["pending"], counts["sent"] + counts["delivered"], counts["failed"]
