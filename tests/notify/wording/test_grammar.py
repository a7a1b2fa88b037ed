"""What the shop's own texts may be made of: enough for texts, nothing that takes for ever or reaches further."""

import pytest
from jinja2 import UndefinedError

from grocery.notify.wording.grammar import (
    FILENAME,
    MAX_LENGTH,
    SourceError,
    TooLongError,
    compile_source,
    line_of,
)
from tests.waiting import within

VALUES = {
    "shop": "Test Grocer",
    "note": "x" * 1000,
    "order": {"number": "G-7K3M9Q", "note": "", "lines": [{"name": "Milk"}, {"name": "Kale"}]},
    "others": 2,
    "is_tight": False,
}


def write(source: str) -> str:
    return compile_source(source, "en").render(VALUES)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ shop }}: {{ order.number }}", "Test Grocer: G-7K3M9Q"),
        ("{{ order['number'] }}", "G-7K3M9Q"),
        ("{% if order.note %}Note{% elif others > 1 %}Two{% else %}None{% endif %}", "Two"),
        ("{{ 'yes' if shop and not order.note else 'no' }}", "yes"),
        ("{% for line in order.lines %}{{ loop.index }} {{ line.name }} {% endfor %}", "1 Milk 2 Kale "),
        ("{% set link = shop if not is_tight %}{{ link }}", "Test Grocer"),
        ("{{ others + order.lines|length - 1 }}", "3"),
        ("{{ shop|short(4)|sentence|upper }}", "TEST GROCER."),
        ("{{ shop|replace(' ', '-') }}", "Test-Grocer"),
        ("{{ note|truncate(10) }}", "xxxxxxx..."),
        ("{{ 'A' ~ shop ~ 1 }}", "ATest Grocer1"),
        ("{% import 'en/_phrases.txt' as say %}{{ say.pickup() }}", "Pickup at the shop"),
        ("{# not shown #}Hello", "Hello"),
        ("A & <b>", "A & <b>"),
    ],
)
def test_what_texts_need_can_be_written(source: str, expected: str) -> None:
    assert write(source) == expected


def test_row_makes_a_line_of_a_table() -> None:
    assert write("{{ row('Total', 'KES 5') }}") == f"Total{'KES 5':>39}"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("Hello\n{{ shop", "Line 2: "),
        ("{% if shop %}", "Line 1: "),
        ("{% nonsense %}", "Line 1: Encountered unknown tag 'nonsense'"),
        ("\n\n{{ shop|shout }}", "Line 3: there is no filter shout; there are "),
        ("{{ shop is pickup }}", "Line 1: No test named 'pickup'."),
        ("{{ 'x' * 10 }}", r"Line 1: \* cannot be used here"),
        ("{{ 9 ** 9 ** 9 }}", r"Line 1: \*\* cannot be used here"),
        ("{{ '%1000000000d' % 1 }}", "Line 1: % cannot be used here"),
        ("{% for i in range(10**9) %}x{% endfor %}", "Line 1: a loop goes over a list as it is"),
        ("{{ range(10) }}", "Line 1: only row"),
        ("{{ lipsum() }}", "Line 1: only row"),
        ("{{ shop.upper() }}", "Line 1: only row"),
        ("{{ row(*order.lines) }}", "Line 1: only row"),
        ("{{ order.lines.append(1) }}", "Line 1: only row"),
        ("{% for a in order.lines + order.lines %}{% endfor %}", "Line 1: a loop goes over a list as it is"),
        ("{% for a in note|upper %}{% endfor %}", "Line 1: a loop goes over a list as it is"),
        ("{% for a in note %}\n{% for b in note %}{% endfor %}{% endfor %}", "Line 1: a loop cannot stand in another"),
        ("{% for a in note recursive %}{{ loop(note) }}{% endfor %}", "Line 1: a loop goes over a list as it is"),
        ("{% for a in note %}{% endfor %}\n" * 11, "Line 11: there are more than 10 loops"),
        ("{% set a = shop ~ shop %}", "Line 1: set takes one name"),
        ("{% set a = (shop ~ shop) if shop %}", "Line 1: set takes one name"),
        ("{% set a, b = shop, shop %}", "Line 1: set takes one name"),
        ("{% set a = (shop, shop) %}", "Line 1: set takes one name"),
        ("{% set a = [shop, shop] %}", "Line 1: set takes one name"),
        ("{% for a in (shop, shop) %}{% endfor %}", "Line 1: a loop goes over a list as it is"),
        ("{% set a = row(shop, shop) %}", "Line 1: set takes one name"),
        ("{% set a %}{{ shop }}{% endset %}", "Line 1: assignblock cannot be used here"),
        ("{% with a = shop %}{% endwith %}", "Line 1: with cannot be used here"),
        ("{% macro a() %}{{ a() }}{% endmacro %}", "Line 1: macro cannot be used here"),
        ("{% filter upper %}a{% endfilter %}", "Line 1: filterblock cannot be used here"),
        ("{{ note|replace('x', 'xxxx') }}", "Line 1: replace takes two texts"),
        ("{{ note|replace('', 'x') }}", "Line 1: replace takes two texts"),
        ("{{ note|replace(shop, note) }}", "Line 1: replace takes two texts"),
        ("{% import 'en/_order.txt' as a %}{% set a = shop %}{{ a.center(9) }}", "Line 1: a is the name of something"),
        ("{% import 'en/_order.txt' as a %}{% for a in note %}{{ a.center(9) }}{% endfor %}", "Line 1: a is the name"),
        ("{% set a = shop %}{% import 'en/_order.txt' as a %}{{ a.center(9) }}", "Line 1: an import stands outside"),
        (
            "{% if not shop %}{% import 'en/_order.txt' as shop %}{% endif %}{{ shop.center(9) }}",
            "Line 1: an import stands outside of if and for, under a name of its own",
        ),
        ("{{ shop.center(9) }}{% import 'en/_order.txt' as shop %}", "Line 1: only row"),
        ("{% import 'en/_order.txt' as row %}", "Line 1: an import stands outside"),
        ("{% set row = shop.center %}{{ row(9) }}", "Line 1: row is the name of something else"),
        ("{% for row in note %}{{ row(9) }}{% endfor %}", "Line 1: row is the name of something else"),
        ("{{ shop|center(1000000000) }}", "Line 1: there is no filter center"),
        ("{{ order.lines|join(note) }}", "Line 1: there is no filter join"),
        ("{{ order.lines|map(attribute='name') }}", "Line 1: there is no filter map"),
        ("{% include 'en/_order.txt' %}", "Line 1: include cannot be used here"),
        ("{% extends 'en/_order.txt' %}", "Line 1: extends cannot be used here"),
        ("{% import 'sw/_phrases.txt' as say %}", "Line 1: only these can be imported: en/_order.txt, "),
        ("{% import 'en/../sw/_phrases.txt' as say %}", "Line 1: only these can be imported"),
        ("{% import '/etc/passwd' as say %}", "Line 1: only these can be imported"),
        ("{% import shop as say %}", "Line 1: only these can be imported"),
        ("{% from 'en/_phrases.txt' import pickup %}", "Line 1: fromimport cannot be used here"),
        ("{{ " + "(" * 1500 + "shop" + ")" * 1500 + " }}", "nested too deeply|too many"),
        ("{{ " + "not " * 1200 + "shop }}", "nested too deeply"),
        ("{% if shop %}" * 150 + "{% endif %}" * 150, "nested too deeply"),
        ("{{ " + "9" * 4900 + " }}", "a number that is too big"),
    ],
)
def test_what_texts_do_not_need_is_refused_at_once(source: str, problem: str) -> None:
    with within(2), pytest.raises(SourceError, match=problem):
        compile_source(source, "en")


@pytest.mark.parametrize(
    "source",
    [
        "{{ shop.__class__ }}",
        "{{ order.__class__.__mro__ }}",
        "{{ shop['__class__'] }}",
        "{% import 'en/_phrases.txt' as say %}{{ say.pickup.__globals__ }}",
        "{% import 'en/_phrases.txt' as say %}{{ say.pickup.__init__ }}",
    ],
)
def test_pythons_own_things_are_out_of_reach(source: str) -> None:
    own = compile_source(source, "en")

    with pytest.raises(Exception, match=r"unsafe|no value"):
        own.render(VALUES)


def test_what_comes_out_is_bounded() -> None:
    own = compile_source("{% for letter in note %}{{ note }}{% endfor %}", "en")

    with pytest.raises(TooLongError):
        own.render(VALUES)
    assert len(compile_source("{{ note }}" * 50, "en").render(VALUES)) == MAX_LENGTH


def test_value_that_there_is_not_is_refused_with_its_line_even_where_it_is_not_reached() -> None:
    with pytest.raises(SourceError, match=r"^Line 2: there is no value colour; there are note, order, shop$"):
        compile_source("{{ shop }}\n{% if note %}{{ colour }}{% endif %}", "en", {"order", "note", "shop"})


def test_own_names_of_a_text_are_known_in_it() -> None:
    source = (
        "{% set a = shop %}{% for line in order.lines %}{{ a }}{{ line.name }}{{ loop.index }}{% endfor %}{{ rule }}"
    )

    assert compile_source(source, "en", {"shop", "order"}).render(VALUES).startswith("Test GrocerMilk1")


def test_line_of_what_goes_wrong_later_is_known() -> None:
    own = compile_source("{{ shop }}\n\n{{ order.colour }}\n", "en")

    with pytest.raises(UndefinedError, match=r"^there is no value colour$") as caught:
        own.render(VALUES)

    assert line_of(caught.value) == 3


def test_line_is_that_of_the_own_text_when_a_macro_fails() -> None:
    own = compile_source("{% import 'en/_order.txt' as parts %}\n{{ parts.about(shop, shop) }}", "en")

    with pytest.raises(UndefinedError) as caught:
        own.render(VALUES)

    assert line_of(caught.value) == 2
    assert FILENAME not in str(caught.value)
