"""What the form of a plain text says: the blocks that its HTML is made of."""

import pytest

from grocery.notify.clients.structure import (
    Button,
    Code,
    Fact,
    Facts,
    Paragraph,
    Row,
    Span,
    Table,
    read_blocks,
)

WIDTH = 44


def row(left: str, right: str) -> str:
    """As the texts of mails write it."""
    if len(left) + 2 + len(right) <= WIDTH:
        return left + right.rjust(WIDTH - len(left))
    return f"{left}\n{right.rjust(WIDTH)}"


def paragraph(*lines: str) -> Paragraph:
    return Paragraph([[Span(line)] for line in lines])


def test_full_lines_are_joined_and_short_ones_kept_apart() -> None:
    text = (
        "Hello Amina Odhiambo,\n"
        "thank you for your order at Test Grocer. We have it, and we are\n"
        "getting it ready for you.\n"
        "\n \n"
        "Your order G-7K3M9Q was delivered. Thank you for shopping with us!\n"
        "If anything is not right, tell us.\n"
    )

    assert read_blocks(text) == [
        paragraph(
            "Hello Amina Odhiambo,",
            "thank you for your order at Test Grocer. We have it, and we are getting it ready for you.",
        ),
        paragraph(
            "Your order G-7K3M9Q was delivered. Thank you for shopping with us!", "If anything is not right, tell us."
        ),
    ]


def test_lines_of_an_order_are_a_table() -> None:
    text = "\n".join(
        [
            "Sukuma Wiki (Kale)",
            row("  1.5 kg at KES 60", "KES 90"),
            "Offer: milk of a name that is much longer than a line of this table is",
            row("  1,000.125 kg at KES 1,000,000.50", "KES 1,000,000,000.50"),
            "-" * WIDTH,
            row("Subtotal", "KES 1,050"),
            row("Mangoes, buy two and get the third one", "KES -50.50"),
            row("Total", "KES 1,250"),
        ]
    )

    assert read_blocks(text) == [
        Table(
            [
                Row("Sukuma Wiki (Kale)", "KES 90", "1.5 kg at KES 60"),
                Row(
                    "Offer: milk of a name that is much longer than a line of this table is",
                    "KES 1,000,000,000.50",
                    "1,000.125 kg at KES 1,000,000.50",
                ),
                Row(),
                Row("Subtotal", "KES 1,050"),
                Row("Mangoes, buy two and get the third one", "KES -50.50"),
                Row("Total", "KES 1,250"),
            ]
        )
    ]


def test_line_with_only_a_right_column_belongs_to_the_one_before() -> None:
    text = f"Brookside Milk 500 ml (MILK-500)\n{row('', '3 left')}\nSukuma\n{row('', '0.5 kg left')}\n... and 2 more."

    assert read_blocks(text) == [
        Table([Row("Brookside Milk 500 ml (MILK-500)", "3 left"), Row("Sukuma", "0.5 kg left")]),
        paragraph("... and 2 more."),
    ]


@pytest.mark.parametrize("rows", [row("", "KES 5"), f"{'-' * WIDTH}\n{row('', 'KES 5')}"])
def test_right_column_without_anything_before_it_loses_no_text(rows: str) -> None:
    assert "KES 5" in str(read_blocks(rows))


def test_labelled_lines_are_facts_and_sentences_with_a_colon_are_not() -> None:
    text = (
        "Delivery to: Moi Avenue 5, near Shell\nCustomer's note: Ring: twice\nBarua pepe: hakuna\n"
        "Your note: Ring. Twice!\n\n"
        "good news: your order is confirmed.\nWe are sorry to say: it is sold out.\nAdded: 3 x Mango."
    )

    assert read_blocks(text) == [
        Facts(
            [
                Fact("Delivery to", [Span("Moi Avenue 5, near Shell")]),
                Fact("Customer's note", [Span("Ring: twice")]),
                Fact("Barua pepe", [Span("hakuna")]),
                Fact("Your note", [Span("Ring. Twice!")]),
            ]
        ),
        paragraph("good news: your order is confirmed.", "We are sorry to say: it is sold out.", "Added: 3 x Mango."),
    ]


def test_address_on_a_line_of_its_own_is_a_button_named_by_the_line_before() -> None:
    text = "Follow your order:\nhttps://duka.example/t/abc-1\n\nDuka\nhttps://duka.example"

    assert read_blocks(text) == [
        Button("Follow your order", "https://duka.example/t/abc-1"),
        paragraph("Duka"),
        Button("https://duka.example", "https://duka.example"),
    ]


@pytest.mark.parametrize(
    ("line", "spans"),
    [
        (
            "See https://a.example/x?y=1&z=2. Thanks",
            [Span("See "), Span("https://a.example/x?y=1&z=2", "https://a.example/x?y=1&z=2"), Span(". Thanks")],
        ),
        ("(http://a.example/)", [Span("("), Span("http://a.example/", "http://a.example/"), Span(")")]),
        ("javascript://alert(1) data:x ftp://b", [Span("javascript://alert(1) data:x ftp://b")]),
        (
            'http://a"onclick="x <http://b>',
            [Span("http://a", "http://a"), Span('"onclick="x <'), Span("http://b", "http://b"), Span(">")],
        ),
    ],
)
def test_address_within_a_line_is_a_link(line: str, spans: list[Span]) -> None:
    assert read_blocks(line) == [Paragraph([spans])]


def test_indented_line_is_a_command() -> None:
    assert read_blocks("All that is low:\n\n  flask --app wsgi products low-stock\n") == [
        paragraph("All that is low:"),
        Code("flask --app wsgi products low-stock"),
    ]


@pytest.mark.parametrize("text", ["", "\n", " \n\n ", "\n\n\n"])
def test_nothing_is_made_of_nothing(text: str) -> None:
    assert read_blocks(text) == []
