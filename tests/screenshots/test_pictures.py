"""The pictures of the documentation: all there, small, shown somewhere, and told in words. They are not taken here."""

import re
from pathlib import Path

import pytest

from screenshots.__main__ import PLACE, main
from screenshots.camera import MAX_BYTES
from screenshots.pictures import PICTURES

ROOT = PLACE.parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
NAMES = {f"{picture.name}.webp" for picture in PICTURES}

# `![words](path)`, and `<img>` where a width is given.
_MARKDOWN = re.compile(r"!\[([^]]*)\]\(([^)]+)\)")
_HTML = re.compile(r"<img ([^>]+)>")


def shown(document: Path) -> list[tuple[Path, str]]:
    """The pictures of a document, and the words in their place."""
    text = document.read_text()
    images = [(path, words) for words, path in _MARKDOWN.findall(text)]
    for attributes in _HTML.findall(text):
        values = dict(re.findall(r'(\w+)="([^"]*)"', attributes))
        images.append((values["src"], values.get("alt", "")))
    return [((document.parent / path).resolve(), words) for path, words in images]


def test_every_picture_that_the_script_takes_is_there_and_no_other() -> None:
    assert {path.name for path in PLACE.iterdir()} == NAMES
    assert len(NAMES) == len(PICTURES)


def test_every_picture_is_small_enough_for_a_slow_line() -> None:
    assert {path.name: size for path in PLACE.iterdir() if (size := path.stat().st_size) > MAX_BYTES} == {}


def test_every_picture_is_shown_and_has_words_for_those_who_do_not_see_it() -> None:
    images = [(document.name, *image) for document in DOCUMENTS for image in shown(document)]
    assert {path.name for _, path, _ in images} == NAMES
    assert [(name, path.name) for name, path, _ in images if path.parent != PLACE] == []
    assert [(name, path.name) for name, path, words in images if len(words) < 10] == []


def test_without_a_browser_it_says_what_to_install_and_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--out", str(tmp_path / "pictures")]) == 1
    assert capsys.readouterr().err == "Chromium is not installed. On Debian: apt-get install chromium\n"
    assert not (tmp_path / "pictures").exists()


def test_a_picture_that_there_is_not_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "hoem"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("No picture is called hoem. There are: home-phone, ")
