"""What is kept of a provider's words."""

from grocery.notify.outcome import one_line


def test_one_line_cuts_what_does_not_fit() -> None:
    assert one_line(" a\x00b\r\n\tc\u2028d\ud800 ") == "a b c d"
    assert one_line("x" * 300) == "x" * 300
    assert one_line("x" * 301) == "x" * 299 + "…"
