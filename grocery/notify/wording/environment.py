"""The Jinja environment of the texts: what a template can use besides its values."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from grocery.notify.wording import gsm7
from grocery.notify.wording.catalogue import TEMPLATES

# Columns of the tables in e-mails: what a phone shows in a line.
_WIDTH = 44


class Missing(StrictUndefined):
    """A value that is not there, in words for those who write texts."""

    @property
    def _undefined_message(self) -> str:
        return self._undefined_hint or f"there is no value {self._undefined_name}"


def make_environment(kind: type[Environment] = Environment) -> Environment:
    """A new environment of this class, with our files to import from."""
    environment = kind(
        loader=FileSystemLoader(TEMPLATES),
        undefined=Missing,
        autoescape=False,  # plain text, in which an escaped name reads wrong
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"row": _row, "rule": "-" * _WIDTH}
    environment.filters |= {"short": _short, "sentence": _sentence}
    return environment


def _row(left: str, right: str) -> str:
    """Two columns, the right one flush right; on two lines when they do not fit into one."""
    if len(left) + 2 + len(right) <= _WIDTH:
        return left + right.rjust(_WIDTH - len(left))
    return f"{left}\n{right.rjust(_WIDTH)}"


@pass_context
def _short(context: Context, text: str, limit: int) -> str:
    """At most `limit` septets of the text when the whole SMS would not fit into one part otherwise."""
    return gsm7.shorten(text, limit) if context["is_tight"] else text


def _sentence(text: str) -> str:
    """The text with a full stop, since what people type into a note seldom has one."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
