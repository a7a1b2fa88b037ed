"""The words of every message: Jinja templates by language, event, audience and channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, pass_context, select_autoescape
from jinja2.runtime import Context

from grocery.notify.outcome import one_line
from grocery.notify.wording import gsm7

#: `order.delivery` of an order that is collected; its texts then speak of collecting instead of delivering.
PICKUP: Final = "Pickup at the shop"

# Columns of the tables in e-mails: what a phone shows in a line.
_WIDTH = 44
# Characters of a value. What customers write is part of the mail, it does not take it over.
_VALUE_LENGTH = 1000


@dataclass(frozen=True)
class Text:
    """A finished text; only e-mails have a subject."""

    subject: str | None
    body: str


def render(event: str, audience: str, channel: str, context: Mapping[str, Any], language: str = "en") -> Text:
    """Write the text of `{event}.{audience}.{channel}` in a language ("en" or "sw").

    Raises jinja2.TemplateNotFound for an event that has no such text, jinja2.UndefinedError when the context lacks a
    value.
    """
    template = _templates.get_template(f"{language}/{event}.{audience}.{channel}.txt")
    if channel == "sms":
        return Text(None, _write_sms(template, context))
    text = template.render(_clean(context, is_sms=False)).strip()
    subject, _, body = text.partition("\n\n")
    return Text(subject.removeprefix("Subject: "), body.strip() + "\n")


def _write_sms(template: Template, context: Mapping[str, Any]) -> str:
    """The text in one part, if need be with its long values cut."""
    values = _clean(context, is_sms=True)
    text = template.render(values, is_tight=False).strip()
    if gsm7.parts(text) > 1:
        text = template.render(values, is_tight=True).strip()
    return text


@pass_context
def _short(context: Context, text: str, limit: int) -> str:
    """At most `limit` septets of the text when the whole SMS would not fit into one part otherwise."""
    return gsm7.shorten(text, limit) if context["is_tight"] else text


def _clean(value: Any, *, is_sms: bool) -> Any:
    """The context with each string on one line, so that no value can end the subject or forge a line of the table."""
    if isinstance(value, str):
        line = value if value.isprintable() and len(value) <= _VALUE_LENGTH else one_line(value, _VALUE_LENGTH)
        return gsm7.simplify(line) if is_sms else line
    if isinstance(value, Mapping):
        return {key: _clean(entry, is_sms=is_sms) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(entry, is_sms=is_sms) for entry in value]
    return value


def _row(left: str, right: str) -> str:
    """Two columns, the right one flush right; on two lines when they do not fit into one."""
    if len(left) + 2 + len(right) <= _WIDTH:
        return left + right.rjust(_WIDTH - len(left))
    return f"{left}\n{right.rjust(_WIDTH)}"


def _sentence(text: str) -> str:
    """The text with a full stop, since what people type into a note seldom has one."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _is_pickup(order: Mapping[str, Any]) -> bool:
    return bool(order["delivery"] == PICKUP)


def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(),  # HTML only; in plain text an escaped name reads wrong
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"row": _row, "rule": "-" * _WIDTH}
    environment.filters |= {"short": _short, "sentence": _sentence}
    environment.tests["pickup"] = _is_pickup
    return environment


_templates = _make_environment()
