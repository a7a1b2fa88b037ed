"""`flask notify preview` and `flask notify texts`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from grocery.db import db
from grocery.notify.wording.catalogue import TextKey, built_in_source, list_keys
from tests.notify.wording.conftest import RunSql, Write

Run = Callable[..., Result]

NAME = "en/order_delivered.customer.sms"
SOURCE = "{{ shop }}: {{ order.number }} is with you."


@pytest.fixture
def run(app: Flask, context: None) -> Run:
    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        db.session.remove()
        return app.test_cli_runner().invoke(args=["notify", *arguments], input=stdin)

    return invoke


class TestPreview:
    def test_shows_a_text_with_what_it_costs(self, run: Run) -> None:
        result = run("preview", "order_delivered", "--channel", "sms", "--language", "en", "--variant", "pickup")

        body = (
            "Test Grocer: order G-7K3M9Q was collected. Thank you for shopping with us! "
            "If anything is not right, tell us and we will fix it."
        )
        assert result.exit_code == 0
        assert result.output == f"== {NAME}, pickup: GSM-7, length {len(body)}, 1 part\n{body}\n\n"

    def test_names_the_characters_that_make_an_sms_dear(self, run: Run, write: Write) -> None:
        write("{{ shop }} ĩ “" + "x" * 60, "order_delivered")

        result = run("preview", "order_delivered", "--channel", "sms", "--language", "en", "--variant", "usual")

        heading = result.output.splitlines()[0]
        assert heading == f"== {NAME}, usual: UCS-2, length 75, 2 parts, because of ĩ (U+0129) “ (U+201C)"

    def test_shows_all_texts(self, run: Run) -> None:
        result = run("preview", "--variant", "usual")

        headings = [line for line in result.output.splitlines() if line.startswith("== ")]
        assert [heading.split()[1].rstrip(",") for heading in headings] == [str(key) for key in list_keys()]
        assert "Subject: Your order G-7K3M9Q was delivered\n\n" in result.output

    def test_filters(self, run: Run) -> None:
        def keys(*options: str) -> list[TextKey]:
            texts = json.loads(run("preview", "--json", *options).output)
            return [TextKey(*(text[name] for name in TextKey._fields)) for text in texts]

        assert keys() == list(list_keys())
        assert keys("order_placed") == [key for key in list_keys() if key.event == "order_placed"]
        assert {key.channel for key in keys("--channel", "sms")} == {"sms"}
        assert {key.audience for key in keys("--audience", "admin")} == {"admin"}
        assert {key.language for key in keys("--language", "sw")} == {"sw"}

    @pytest.mark.parametrize("options", [("order_lost",), ("order_packed", "--channel", "sms"), ("--variant", "odd")])
    def test_says_when_there_is_no_such_text(self, run: Run, options: tuple[str, ...]) -> None:
        result = run("preview", *options)

        assert result.exit_code == 1
        assert "There is no such text" in result.output


class TestTexts:
    def test_set_from_a_file_list_export_and_reset(self, run: Run, tmp_path: Path, run_sql: RunSql) -> None:
        file = tmp_path / "delivered.txt"
        file.write_text(f"{SOURCE}\n")

        result = run("texts", "set", NAME, str(file))

        assert result.exit_code == 0, result.output
        assert "Test Grocer: G-7K3M9Q is with you.\n" in result.output
        assert result.output.endswith(f"{NAME} is the shop's own now.\n")
        assert run_sql("SELECT event, language, source FROM text_overrides") == [("order_delivered", "en", SOURCE)]
        [line] = [line for line in run("texts", "list").output.splitlines() if line.startswith(f"{NAME} ")]
        assert "the shop's" in line
        [own] = json.loads(run("texts", "list", "--own", "--json").output)
        assert (own["event"], own["is_overridden"], own["problem"]) == ("order_delivered", True, None)
        assert run("texts", "export", NAME).output == f"{SOURCE}\n"
        exported = json.loads(run("texts", "export", NAME, "--json").output)
        assert exported["source"] == SOURCE
        built_in = built_in_source(TextKey("order_delivered", "customer", "sms", "en"))
        assert run("texts", "export", NAME, "--built-in").output == built_in

        assert run("texts", "reset", NAME).output == f"{NAME} is the program's again.\n"

        assert run_sql("SELECT count(*) FROM text_overrides") == [(0,)]
        assert run("texts", "list", "--own").output == "Nothing found.\n"

    def test_set_from_standard_input(self, run: Run, run_sql: RunSql) -> None:
        assert run("texts", "set", NAME, stdin=SOURCE).exit_code == 0

        assert run_sql("SELECT source FROM text_overrides") == [(SOURCE,)]

    def test_dry_run_changes_nothing(self, run: Run, run_sql: RunSql) -> None:
        result = run("texts", "set", NAME, "--dry-run", stdin="{{ shop }} ĩ")

        assert result.exit_code == 0
        assert "Test Grocer ĩ" in result.output
        assert "Note: usual: ĩ cannot be sent in GSM-7." in result.output
        assert run_sql("SELECT count(*) FROM text_overrides") == [(0,)]

    @pytest.mark.parametrize(
        ("source", "problem"),
        [
            ("a\n{{ order.colour }}", "source: Line 2: there is no value colour"),
            ("", "source: Length must be between 1 and 5000."),
            ("a\x00b", "source: Has a character that cannot be stored."),
            ("x" * 5001, "source: Length must be between 1 and 5000."),
        ],
    )
    def test_bad_text_is_refused(self, run: Run, run_sql: RunSql, source: str, problem: str) -> None:
        result = run("texts", "set", NAME, stdin=source)

        assert result.exit_code == 1
        assert problem in result.output
        assert run_sql("SELECT count(*) FROM text_overrides") == [(0,)]

    def test_file_that_is_no_text_is_refused(self, run: Run, tmp_path: Path) -> None:
        file = tmp_path / "picture.png"
        file.write_bytes(b"\x89PNG\xff")

        result = run("texts", "set", NAME, str(file))

        assert (result.exit_code, result.output) == (1, "Error: The file is not text in UTF-8.\n")

    @pytest.mark.parametrize("name", ["order_delivered.customer.sms", "fr/order_delivered.customer.sms", "en/x", ""])
    def test_unknown_name_is_wrong_usage(self, run: Run, name: str) -> None:
        result = run("texts", "export", name)

        assert result.exit_code == 2
        assert "`notify texts list` shows all names" in result.output

    def test_reset_of_what_is_the_programs_anyway(self, run: Run) -> None:
        result = run("texts", "reset", NAME)

        assert result.exit_code == 1
        assert "The shop has no text of its own" in result.output
