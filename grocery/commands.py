"""The base of the `flask` command groups: domain errors become one clear line and exit code 1."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import click
import orjson
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from grocery.errors import GroceryError, is_database_away


@dataclass
class RunningCommand:
    """A command that someone runs, "auth set-role", what it was given, and what the audit log has of it so far."""

    path: str
    parameters: Mapping[str, Any]
    noted_subjects: set[object] = field(default_factory=set)


#: None in requests and in the processes that go on by themselves, workers and the relay among them.
running_command: ContextVar[RunningCommand | None] = ContextVar("running_command", default=None)


class CommandGroup(AppGroup):
    """An AppGroup (each command has an application context) that shows errors to people, not stack traces."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        if cmd.callback is not None:
            cmd.callback = _with_clear_errors(cmd.callback)
        super().add_command(cmd, name)


def make_errors_clear(app: Flask) -> None:
    """Do the same for the groups that extensions have brought: `flask db upgrade` without a database is one line."""
    for group in app.cli.commands.values():
        if isinstance(group, click.Group) and not isinstance(group, CommandGroup):
            for command in group.commands.values():
                if command.callback is not None:
                    command.callback = _with_clear_errors(command.callback)


def print_json(value: Any) -> None:
    """Data for programs (`--json`)."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())


def print_table(headings: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Data for people, in columns; says so when there is none."""
    if not rows:
        click.echo("Nothing found.")
        return
    cells = [headings, *[tuple("" if cell is None else str(cell) for cell in row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _with_clear_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        context = click.get_current_context()
        token = running_command.set(RunningCommand(_path_of(context), context.params))
        try:
            return function(*args, **kwargs)
        except GroceryError as error:
            errors = error.members.get("errors", {})
            lines = [error.detail, *(f"  {name}: {' '.join(map(str, texts))}" for name, texts in errors.items())]
            raise click.ClickException("\n".join(lines)) from error
        except DBAPIError as error:
            if not is_database_away(error):
                raise
            raise click.ClickException(f"The database is away: {str(error.orig).strip()}") from error
        finally:
            running_command.reset(token)

    return wrapper


def _path_of(context: click.Context) -> str:
    """The words that name a command, without the program's own."""
    words: list[str] = []
    while context.parent is not None:
        words.insert(0, context.info_name or "")
        context = context.parent
    return " ".join(words)
