"""Noticing that nobody reads any more, and naming lines."""

import io
import os

from grocery.dev.output import Terminal


def unbuffered(descriptor: int) -> io.TextIOWrapper:
    """A stream that keeps nothing back, so that it can be closed after its reader has left."""
    return io.TextIOWrapper(os.fdopen(descriptor, "wb", buffering=0), write_through=True)


def test_line_is_prefixed_by_the_name_of_its_process() -> None:
    stream = io.StringIO()

    Terminal(stream).line("relay", "at work")

    assert stream.getvalue() == "relay         | at work\n"


def test_terminal_that_was_closed_is_gone() -> None:
    window, inside = os.openpty()
    with unbuffered(inside) as stream:
        terminal = Terminal(stream)
        assert not terminal.is_gone()

        os.close(window)

        assert terminal.is_gone()
        terminal.line("relay", "to nobody")


def test_pipe_whose_reader_left_is_gone_at_the_next_line() -> None:
    read_end, write_end = os.pipe()
    with unbuffered(write_end) as stream:
        terminal = Terminal(stream)
        os.close(read_end)
        assert not terminal.is_gone()

        terminal.line("relay", "to nobody")

        assert terminal.is_gone()


def test_full_disk_is_no_reason_to_close_the_shop() -> None:
    with unbuffered(os.open("/dev/full", os.O_WRONLY)) as stream:
        terminal = Terminal(stream)

        terminal.line("relay", "lost")

        assert not terminal.is_gone()
