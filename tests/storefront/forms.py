"""Forms as a browser without script sends them: what is in the page, changed by what a person does."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Form:
    """A form of a page: where it goes, its fields as they stand, its choices, and its buttons by their words."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    disabled: dict[str, list[str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self, form_id: str):
        super().__init__()
        self.form_id = form_id
        self.form: Form | None = None
        self._is_inside = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got: dict[str, Any] = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = got.get("id") == self.form_id
            if self._is_inside:
                self.form = Form(got["action"])
        is_ours = got["form"] == self.form_id if "form" in got else self._is_inside
        if self.form is None or not is_ours:
            return
        if tag == "input" and "name" in got:
            self._add_input(self.form, got)
        elif tag == "select":
            self._select = got["name"]
        elif tag == "option" and self._select:
            self.form.choices.setdefault(self._select, []).append(got["value"])
            if "selected" in got or self._select not in self.form.fields:
                self.form.fields[self._select] = got["value"]

    def _add_input(self, form: Form, got: dict[str, Any]) -> None:
        if got.get("type") in ("radio", "checkbox"):
            known = form.disabled if "disabled" in got else form.choices
            known.setdefault(got["name"], []).append(got["value"])
            if "checked" not in got or "disabled" in got:
                return
        form.fields[got["name"]] = got.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select":
            self._select = ""


def read_form(page: str, form_id: str) -> Form:
    """The form with this id, with what is joined to it by a `form` attribute."""
    reader = _Reader(form_id)
    reader.feed(page)
    assert reader.form is not None, f"no form {form_id}"
    return reader.form
