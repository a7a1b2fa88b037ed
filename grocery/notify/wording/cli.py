"""`flask notify preview` and `flask notify texts …`: the words of messages, for the operator."""

from collections.abc import Mapping, Sequence
from typing import IO, Any

import click
from marshmallow import ValidationError

from grocery.commands import CommandGroup, print_json, print_table
from grocery.config import LANGUAGES
from grocery.db import transaction
from grocery.errors import InvalidError, NotFoundError
from grocery.notify.models import CHANNELS
from grocery.notify.wording import overrides
from grocery.notify.wording.catalogue import TextKey, built_in_source, get_key, list_keys
from grocery.notify.wording.schemas import AUDIENCES, PreviewsSchema, SetTextSchema, TextSchema, TextSummarySchema


class _NameType(click.ParamType):
    """The name of a text: en/order_placed.customer.sms"""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> TextKey:
        if isinstance(value, TextKey):
            return value
        language, _, rest = value.partition("/")
        event, _, kind = rest.partition(".")
        audience, _, channel = kind.partition(".")
        try:
            return get_key(event, audience, channel, language)
        except NotFoundError as error:
            return self.fail(f"{error.detail} `notify texts list` shows all names.", param, ctx)


_NAME = _NameType()


@click.command("preview")
@click.argument("event", required=False)
@click.option("--channel", type=click.Choice(CHANNELS), help="Only texts of this channel.")
@click.option("--audience", type=click.Choice(AUDIENCES), help="Only texts for these people.")
@click.option("--language", type=click.Choice([*LANGUAGES, "all"]), default="all", show_default=True)
@click.option("--variant", help="Only with these values: usual, pickup, slot, note, change, picking, bare …")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def preview(
    event: str | None, channel: str | None, audience: str | None, language: str, variant: str | None, as_json: bool
) -> None:
    """Show how texts read, with sample values.

    Those of one EVENT, such as order_placed, or all. Of an SMS the alphabet, the length and the number of parts are
    shown, and the characters that make it twice as dear. The shop's own texts are shown where there are some.

    \b
    flask --app wsgi notify preview order_placed --channel sms --language sw
    flask --app wsgi notify preview order_shipped --variant pickup
    """
    keys = [
        key
        for key in list_keys()
        if event in (None, key.event)
        and channel in (None, key.channel)
        and audience in (None, key.audience)
        and language in ("all", key.language)
    ]
    shown = [_only(overrides.preview(key), variant) for key in keys]
    shown = [text for text in shown if text["previews"]]
    if not shown:
        raise click.ClickException("There is no such text. `notify texts list` shows all names.")
    if as_json:
        print_json(PreviewsSchema(many=True).dump(shown))
        return
    for text in shown:
        _print_previews(text)


@click.group("texts", cls=CommandGroup, help="The shop's own texts.")
def texts() -> None:
    pass


@texts.command("list")
@click.option("--own", is_flag=True, help="Only those that the shop has written itself.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_texts(own: bool, as_json: bool) -> None:
    """List the names of all texts, and whether the shop has its own in their place."""
    rows = [row for row in overrides.list_texts() if row["is_overridden"] or not own]
    if as_json:
        print_json(TextSummarySchema(many=True).dump(rows))
        return
    print_table(("text", "whose", "changed", "problem"), [_row(row) for row in rows])


@texts.command("export")
@click.argument("text", type=_NAME)
@click.option("--built-in", is_flag=True, help="The one that comes with the program, although the shop has its own.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with both and with previews.")
def export_text(text: TextKey, built_in: bool, as_json: bool) -> None:
    """Print the source of a TEXT, to be changed and set again.

    \b
    flask --app wsgi notify texts export en/order_placed.customer.sms > placed.txt
    """
    found = overrides.get_text(text)
    if as_json:
        print_json(TextSchema().dump(found))
        return
    click.echo((built_in_source(text) if built_in else found["source"]).rstrip("\n"))


@texts.command("set")
@click.argument("text", type=_NAME)
@click.argument("file", type=click.File(encoding="utf-8"), default="-")
@click.option("--dry-run", is_flag=True, help="Show how it would read, change nothing.")
def set_text(text: TextKey, file: IO[str], dry_run: bool) -> None:
    """Put the shop's own TEXT, from FILE or standard input, in the place of the program's.

    It is tried with all sample values first; one that cannot be used is refused, and nothing changes.

    \b
    flask --app wsgi notify texts set en/order_placed.customer.sms placed.txt
    """
    source = _read(file)
    described = overrides.check_source(text, source)
    _print_previews(_only(described, "usual"))
    for warning in described["warnings"]:
        click.echo(f"Note: {warning}", err=True)
    if dry_run:
        return
    with transaction():
        overrides.set_text(text, source)
    click.echo(f"{text} is the shop's own now.")


@texts.command("reset")
@click.argument("text", type=_NAME)
def reset_text(text: TextKey) -> None:
    """Go back to the program's TEXT."""
    with transaction():
        overrides.remove_text(text)
    click.echo(f"{text} is the program's again.")


def _only(described: dict[str, Any], variant: str | None) -> dict[str, Any]:
    previews = [shown for shown in described["previews"] if variant in (None, shown["variant"])]
    return {**described, "previews": previews}


def _read(file: IO[str]) -> str:
    try:
        source: str = SetTextSchema().load({"source": file.read()})["source"]
    except UnicodeDecodeError as error:
        raise InvalidError("The file is not text in UTF-8.") from error
    except ValidationError as error:
        raise InvalidError("The text cannot be used.", errors=error.normalized_messages()) from error
    return source


def _row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    changed = f"{row['updated_at']:%Y-%m-%d %H:%M}Z" if row["updated_at"] else None
    return TextKey(*(row[name] for name in TextKey._fields)), _whose(row), changed, row["problem"]


def _whose(row: Mapping[str, Any]) -> str:
    return "the shop's" if row["is_overridden"] else "the program's"


def _print_previews(text: Mapping[str, Any]) -> None:
    key = TextKey(*(text[name] for name in TextKey._fields))
    for shown in text["previews"]:
        click.echo(f"== {key}, {shown['variant']}{_price(shown)}")
        if shown["subject"]:
            click.echo(f"Subject: {shown['subject']}\n")
        click.echo(f"{shown['body'].rstrip()}\n")


def _price(shown: Mapping[str, Any]) -> str:
    """What an SMS takes: `: GSM-7, 96 of 160, 1 part`."""
    if shown["encoding"] is None:
        return ""
    parts = "1 part" if shown["parts"] == 1 else f"{shown['parts']} parts"
    price = f": {shown['encoding']}, length {shown['length']}, {parts}"
    return f"{price}, because of {_names(shown['outside_gsm7'])}" if shown["outside_gsm7"] else price


def _names(characters: Sequence[str]) -> str:
    return " ".join(f"{char} (U+{ord(char):04X})" for char in characters)
