"""Reports as answers to requests, of the API and of the desk: JSON, or CSV to keep as a file."""

import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from flask import Response

from grocery.orders.reports.reading import Report, Wanted
from grocery.orders.reports.service import write_lines
from grocery.orders.reports.stock import STOCK

_BYTES_IN_MEMORY = 1024 * 1024
_CHUNK_BYTES = 64 * 1024


def answer_with(report: Report, wanted: Wanted, *, as_csv: bool) -> Response:
    """The report as JSON, or as a CSV file whose name says of which days it is."""
    response = _from_file(write_lines(report, wanted, as_csv=as_csv), "text/csv" if as_csv else "application/json")
    if as_csv:
        days = "" if report is STOCK else f"-{wanted.period.first}-{wanted.period.last}"
        response.headers["Content-Disposition"] = f'attachment; filename="{report.name}{days}.csv"'
    return response


def _from_file(lines: Iterable[str], mimetype: str) -> Response:
    """An answer that is written before it is sent: a slow reader holds no connection, and what fails is still an error.

    A big one goes through the disk, so that memory stays bounded whatever the size.
    """
    file = tempfile.SpooledTemporaryFile(_BYTES_IN_MEMORY)  # noqa: SIM115  # closed with the response
    try:
        for line in lines:
            file.write(line.encode())
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    if size <= _BYTES_IN_MEMORY:
        with file:
            return Response(file.read(), mimetype=mimetype)
    response = Response(_chunks(file), mimetype=mimetype)
    response.call_on_close(file.close)  # a reader may have gone before the first one
    response.content_length = size
    return response


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
