"""`flask notify …`: messages, for the operator."""

from datetime import UTC, datetime
from typing import Any

import click
from flask import current_app

from grocery.commands import print_json, print_table
from grocery.db import Row, transaction
from grocery.errors import GroceryError, InvalidError
from grocery.notify import outbox
from grocery.notify.figures import Figures, read_figures
from grocery.notify.group import notify
from grocery.notify.models import CHANNELS, STATUSES
from grocery.notify.outcome import Outcome, SendResult
from grocery.notify.policy import PRIORITY_WORDS
from grocery.notify.schemas import NotificationSchema
from grocery.notify.sending.claims import count_due
from grocery.notify.sending.sender import send_due
from grocery.notify.settling import settle
from grocery.notify.trials import try_email, try_sms
from grocery.phones import parse_phone
from grocery.queues import NOTIFY, doorbell

_HEADINGS = ("id", "created", "channel", "event", "recipient", "status", "attempts", "error")


@notify.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only messages in this status.")
@click.option("--channel", type=click.Choice(CHANNELS), help="Only messages of this channel.")
@click.option("--event", help="Only messages about this event, such as order_placed.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the texts.")
def list_messages(as_json: bool, **filters: Any) -> None:
    """List messages, the newest first."""
    rows = outbox.list_notifications(**filters)
    if as_json:
        print_json(NotificationSchema(many=True).dump(rows))
        return
    columns = ("channel", "event", "recipient", "status", "attempts", "error")
    print_table(
        _HEADINGS,
        [(row["id"], f"{row['created_at']:%Y-%m-%d %H:%M:%S}Z", *(row[name] for name in columns)) for row in rows],
    )


@notify.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Show what waits, what became of the last day's messages, and whether the providers work."""
    figures = read_figures()
    if as_json:
        print_json({**vars(figures), "spent": str(figures.spent), **_plain_rows(figures)})
        return
    click.echo("Waiting:")
    print_table(
        ("channel", "priority", "messages", "oldest (s)"),
        [
            (row["channel"], PRIORITY_WORDS[row["priority"]], row["number"], round(row["oldest_seconds"]))
            for row in figures.waiting
        ],
    )
    click.echo("\nThe last 24 hours:")
    print_table(
        ("channel", "status", "messages", "perhaps doubled"),
        [(row["channel"], row["status"], row["number"], row["repeats"]) for row in figures.last_day],
    )
    click.echo()
    for name, channel in figures.channels.items():
        click.echo(f"{name}: {_health(channel)}")
    click.echo(f"SMS from customers that wait for an answer: {figures.inbound_waiting}")
    click.echo(f"Today's SMS have cost {figures.spent:.2f} {current_app.config['CURRENCY']}.")


def _health(channel: Row) -> str:
    if not channel["is_paused"]:
        return "works"
    return f"paused until {channel['paused_until']:%H:%M:%S}Z: {channel['error']}"


def _plain_rows(figures: Figures) -> dict[str, Any]:
    return {
        "waiting": [
            {**row, "priority": PRIORITY_WORDS[row["priority"]], "oldest_seconds": round(row["oldest_seconds"])}
            for row in figures.waiting
        ],
        "last_day": [dict(row) for row in figures.last_day],
        "channels": {name: dict(row) for name, row in figures.channels.items()},
    }


@notify.command("resend")
@click.argument("ids", metavar="[ID...]", nargs=-1, type=click.IntRange(1, 2**63 - 1))
@click.option("--all-failed", is_flag=True, help="All failed ones that the options below name.")
@click.option("--channel", type=click.Choice(CHANNELS), help="With --all-failed: only messages of this channel.")
@click.option("--event", help="With --all-failed: only messages about this event.")
@click.option("--hours", type=click.IntRange(1, 720), default=24, show_default=True, help="How far back to look.")
def resend(ids: tuple[int, ...], all_failed: bool, channel: str | None, event: str | None, hours: int) -> None:
    """Send messages anew that were given up.

    Those are the failed ones, and the unknown ones that are not tried any more.
    """
    if all_failed == bool(ids):
        raise click.UsageError("Name messages by their ids, or all by --all-failed.")
    if all_failed:
        with transaction():
            number = outbox.resend_failed(channel=channel, event=event, hours=hours)
        click.echo(f"{number} {'message waits' if number == 1 else 'messages wait'} to be sent.")
        return
    refused = 0
    for notification_id in ids:
        try:
            with transaction():
                outbox.resend(notification_id)
        except GroceryError as error:
            refused += 1
            click.echo(error.detail, err=True)
        else:
            click.echo(f"Notification {notification_id} waits to be sent.")
    if refused:
        raise click.ClickException(f"{refused} of {len(ids)} could not be sent anew.")


@notify.command("settle")
@click.option("--before", metavar="TIME", required=True, help="Such as 2026-11-26T21:30Z; in UTC without a Z.")
def settle_messages(before: str) -> None:
    """Send nothing of what waits from before a time.

    For the restore of a backup, before the workers start: what waited when it was made has been sent since. The
    messages become unknown; `notify resend` sends them all the same.
    """
    try:
        moment = datetime.fromisoformat(before)
    except ValueError:
        raise click.BadParameter("it must be a time such as 2026-11-26T21:30Z.", param_hint="--before") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > datetime.now(UTC):
        raise click.BadParameter("it lies in the future; is it in another time zone?", param_hint="--before")
    with transaction():
        number = settle(moment)
    click.echo(f"{number} {'message is' if number == 1 else 'messages are'} not sent any more.")


@notify.command("callbacks")
def callbacks() -> None:
    """Show the addresses that the providers are to call.

    They are secret: whoever knows them can tell the shop lies about its messages.
    """
    config = current_app.config
    if not config["SHOP_URL"]:
        raise click.ClickException("SHOP_URL is not set, so the shop has no address that a provider could call.")
    sms, mail = config["AT_CALLBACK_SECRET"], config["MAIL_CALLBACK_SECRET"]
    for purpose, path, secret, setting in (
        ("Delivery reports", "sms/{}/delivery", sms, "AT_CALLBACK_SECRET"),
        ("Incoming messages", "sms/{}/inbound", sms, "AT_CALLBACK_SECRET"),
        ("Bulk SMS opt-out", "sms/{}/opt-out", sms, "AT_CALLBACK_SECRET"),
        ("USSD", "sms/{}/ussd", sms, "AT_CALLBACK_SECRET"),
        ("Bounced e-mails", "mail/{}/bounce", mail, "MAIL_CALLBACK_SECRET"),
    ):
        address = f"{config['SHOP_URL']}/notify/{path.format(secret)}" if secret else f"none: {setting} is not set"
        click.echo(f"{purpose + ':':20}{address}")


@notify.command("test-sms")
@click.argument("phone")
@click.option("--text", "body", help="What to send.")
def test_sms(phone: str, body: str | None) -> None:
    """Send an SMS to PHONE at once.

    Through the provider that the settings name. Exit code 1 unless it took the message.
    """
    number = _read_phone(phone)
    _show(try_sms(number, body), number)


@notify.command("test-email")
@click.argument("address")
def test_email(address: str) -> None:
    """Send an e-mail to ADDRESS at once.

    Through the server that the settings name. Exit code 1 unless it took the message.
    """
    _show(try_email(address), address)


@notify.command("relay")
@click.option("--send", is_flag=True, help="Send the messages here, without a worker.")
def relay(send: bool) -> None:
    """Have the workers send what is due now.

    Once; `flask relay` does it all the time.
    """
    due = count_due()
    if send:
        tally = send_due()
        click.echo(", ".join(f"{status}: {count}" for status, count in sorted(tally.items())) or "Nothing was due.")
        return
    click.echo(f"{due} {'message is' if due == 1 else 'messages are'} due.")
    if due and not doorbell().ring(NOTIFY):
        raise click.ClickException("Redis is away: the workers could not be told. Use --send to send from here.")


def _read_phone(phone: str) -> str:
    try:
        return parse_phone(phone, current_app.config["DEFAULT_COUNTRY"])
    except InvalidError as error:
        raise InvalidError(f"{phone} is not a phone number.") from error


def _show(result: SendResult, recipient: str) -> None:
    if result.outcome is not Outcome.SENT:
        raise click.ClickException(f"{recipient}: {result.outcome}: {result.error}")
    details = ", ".join(detail for detail in (result.provider_id, result.cost) if detail)
    click.echo(f"Sent to {recipient} ({details}).")
