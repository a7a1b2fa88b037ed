"""The words of every message: the shop's own text where there is one, else the one that comes with the program."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from grocery.notify.outcome import one_line
from grocery.notify.wording import gsm7
from grocery.notify.wording.catalogue import TextKey
from grocery.notify.wording.environment import make_environment
from grocery.notify.wording.kept import kept_texts

#: What an own text may cost: SMS of one message.
MAX_PARTS = 3

# Characters of a value. What customers write is part of the mail, it does not take it over.
_VALUE_LENGTH = 1000

_templates = make_environment()


@dataclass(frozen=True)
class Text:
    """A finished text; only e-mails have a subject."""

    subject: str | None
    body: str


class ShapeError(ValueError):
    """What an own text came out as is no message. Its text is for the person who wrote it."""


class Renderable(Protocol):
    """A template of Jinja or an OwnText."""

    def render(self, *args: Any, **kwargs: Any) -> str: ...


def render(event: str, audience: str, channel: str, context: Mapping[str, Any], language: str = "en") -> Text:
    """Write the text of `{event}.{audience}.{channel}` in a language ("en" or "sw").

    The shop's own text is used when there is one; when that fails, the program's, since a message must go out.
    Raises jinja2.TemplateNotFound for an event that has no such text, jinja2.UndefinedError when the context lacks a
    value.
    """
    key = TextKey(event, audience, channel, language)
    return _find_and_write_own(key, context) or _write(_templates.get_template(key.path), channel, context)


def write_own(own: Renderable, channel: str, context: Mapping[str, Any]) -> Text:
    """Write an own text.

    Raises ShapeError when it has no subject or is too long, and what Jinja and its functions raise.
    """
    text = _write(own, channel, context)
    if channel == "email" and not _is_one_line(text.subject):
        raise ShapeError('An e-mail begins with a line "Subject: …", and an empty line after it.')
    if not text.body.strip():
        raise ShapeError("The text is empty.")
    if channel == "sms" and gsm7.parts(text.body) > MAX_PARTS:
        raise ShapeError(f"It takes {gsm7.parts(text.body)} SMS; {MAX_PARTS} at the most are allowed.")
    return text


def _find_and_write_own(key: TextKey, context: Mapping[str, Any]) -> Text | None:
    """None when the shop has none of its own, or one that does not work."""
    kept = kept_texts()
    if kept is None:
        return None
    try:
        own = kept.find(key)
        return write_own(own, key.channel, context) if own else None
    except Exception as error:  # whatever admins wrote, or wrote into the database past every check
        kept.complain(key, error)
        return None


def _write(template: Renderable, channel: str, context: Mapping[str, Any]) -> Text:
    if channel == "sms":
        return Text(None, _write_sms(template, context))
    text = template.render(_clean(context, is_sms=False)).strip()
    subject, _, body = text.partition("\n\n")
    is_subject = subject.startswith("Subject: ")
    return Text(subject.removeprefix("Subject: ") if is_subject else "", body.strip() + "\n")


def _write_sms(template: Renderable, context: Mapping[str, Any]) -> str:
    """The text in one part, if need be with its long values cut."""
    values = _clean(context, is_sms=True)
    text = template.render(values, is_tight=False).strip()
    if gsm7.parts(text) > 1:
        text = template.render(values, is_tight=True).strip()
    return text


def _is_one_line(subject: str | None) -> bool:
    return bool(subject and subject.strip() and subject.isprintable())


def _clean(value: Any, *, is_sms: bool) -> Any:
    """The context with each string on one line, so that no value can end the subject or forge a line of the table."""
    if isinstance(value, str):
        is_fit = value.isprintable() and "  " not in value and len(value) <= _VALUE_LENGTH
        line = value if is_fit else one_line(value, _VALUE_LENGTH)
        return gsm7.simplify(line) if is_sms else line
    if isinstance(value, Mapping):
        return {key: _clean(entry, is_sms=is_sms) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(entry, is_sms=is_sms) for entry in value]
    return value
