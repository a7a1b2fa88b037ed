"""The texts of pages in Swahili: all there, none too many, and the program reads what the translator wrote."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

_ROOT = Path(__file__).parents[2]
_STOREFRONT = _ROOT / "grocery" / "storefront"
_PO = _STOREFRONT / "translations" / "sw" / "LC_MESSAGES" / "messages.po"
_REPAIR = "Run `make translations`, and translate what is new in messages.po."

# Values of gettext, of the page's script (`{0}`), and examples of words in double braces.
_PLACEHOLDER = re.compile(r"%\(\w+\)s|%%|\{\d+\}|\{\{.*?\}\}")

# What a template says outside of `_()`: units, which are the same in both languages.
_UNITS = {"kg", "/kg", "(kg)"}
_JINJA = re.compile(r"\{#.*?#\}|\{\{(?:\"[^\"]*\"|'[^']*'|[^\"'])*?\}\}|\{%.*?%\}", re.DOTALL)
_SCRIPTS = re.compile(r"<(script|style|svg)\b.*?</\1>", re.DOTALL)
_SPOKEN = re.compile(r"\b(?:aria-label|placeholder|title|alt)=\"([^\"]*[A-Za-z]{2}[^\"]*)\"")


@pytest.fixture(scope="module")
def swahili() -> Catalog:
    with _PO.open("rb") as file:
        return read_po(file)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What the sources say, collected as `make translations` does it."""
    path = tmp_path_factory.mktemp("collected") / "messages.pot"
    command = [sys.executable, "-m", "babel.messages.frontend", "--quiet", "extract", "-o", str(path)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with path.open("rb") as file:
        return read_po(file)


def texts(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def pairs(message: Message) -> Iterator[tuple[str, str]]:
    """English and Swahili of each plural form."""
    if isinstance(message.id, str):
        yield message.id, str(message.string)
    else:
        yield from zip(message.id, message.string, strict=True)


def test_the_catalogue_has_each_text_of_the_sources_and_no_other(swahili: Catalog, collected: Catalog) -> None:
    there, wanted = ({message.id for message in texts(catalog)} for catalog in (swahili, collected))
    assert len(wanted) > 1000
    assert (sorted(map(str, wanted - there)), sorted(map(str, there - wanted))) == ([], []), _REPAIR
    assert not swahili.obsolete, _REPAIR


def test_each_text_is_translated(swahili: Catalog) -> None:
    assert [
        message.id
        for message in texts(swahili)
        if message.fuzzy or not all(translated for _, translated in pairs(message))
    ] == []


def test_translations_keep_values_and_space(swahili: Catalog) -> None:
    broken = []
    for message in texts(swahili):
        for english, translated in pairs(message):
            values = (sorted(_PLACEHOLDER.findall(text)) for text in (english, translated))
            ends = (
                text[: len(text) - len(text.lstrip())] + text[len(text.rstrip()) :] for text in (english, translated)
            )
            if len({tuple(found) for found in values}) > 1 or len(set(ends)) > 1:
                broken.append((english, translated))
    assert broken == []


def test_no_translation_says_a_clock_time_in_the_swahili_way(swahili: Catalog) -> None:
    """ "saa 10" is four o'clock: times are written as 10:00."""
    clock = re.compile(r"\bsaa \d+:\d\d|\bsaa %\((time|when|starts|ends)\)s")
    assert [found for message in texts(swahili) for found in pairs(message) if clock.search(found[1])] == []


def test_swahili_has_its_two_plural_forms(swahili: Catalog) -> None:
    assert (swahili.num_plurals, swahili.plural_expr) == (2, "(n != 1)")


def test_the_compiled_catalogue_says_the_same(swahili: Catalog) -> None:
    with _PO.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)
    said, written = (sorted(pair for message in texts(one) for pair in pairs(message)) for one in (compiled, swahili))
    assert said == written, _REPAIR


def untranslatable(html: str) -> list[str]:
    """What a template says by itself: words between its elements, and in attributes that are read out."""
    html = _JINJA.sub("\0", html)
    spoken = _SPOKEN.findall(html)
    text = re.sub(r"<[^>]*>|[\w-]+=\"[^\"]*\"|&\w+;", "\0", _SCRIPTS.sub("", html))
    words = re.findall(r"[^\0\n]*[A-Za-z]{2}[^\0\n]*", text)
    return [word.strip() for word in words if word.strip() not in _UNITS] + spoken


def test_templates_say_nothing_that_cannot_be_translated() -> None:
    assert untranslatable(
        '<p title="Fresh">{{ _("Milk") }} of <b data-now="1">{% if a %}today{% endif %}</b> kg</p>'
    ) == [
        "of",
        "today",
        "Fresh",
    ]
    said = {str(path): untranslatable(path.read_text()) for path in (_STOREFRONT / "templates").rglob("*.html")}
    assert {name: words for name, words in said.items() if words} == {}
