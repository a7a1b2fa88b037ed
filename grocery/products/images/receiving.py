"""The file in a request: a form with a field `file`, or the picture itself as the body."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from grocery.errors import InvalidError, MalformedError, MediaTypeError

#: Bytes of a picture. Phones make up to 8 million.
MAX_FILE_BYTES = 10 * 1024 * 1024
#: What a form may have around it.
_FORM_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024
# What Werkzeug's parser may hold of a part: a block of 64 KiB, and what it kept of the block before, since a boundary
# might have begun there. With no more than a block, it would refuse most photos that are larger than one.
_PARSER_BYTES = 2 * 64 * 1024
#: A body up to this size stays in memory, a larger one goes to a temporary file.
_MEMORY_BYTES = 512 * 1024

RAW_TYPES = ("image/jpeg", "image/png", "image/webp")
FORM_TYPE = "multipart/form-data"


@contextmanager
def received_file() -> Iterator[IO[bytes]]:
    """The picture that the current request brings, wherever it had to be put meanwhile.

    Raises MediaTypeError, RequestEntityTooLarge, MalformedError for a form that is none, and InvalidError without a
    file. What the request says of its type and name has no further meaning.
    """
    if request.mimetype not in (FORM_TYPE, *RAW_TYPES):
        types = ", ".join(RAW_TYPES)
        raise MediaTypeError(f"Send a form ({FORM_TYPE}) with the field file, or the picture itself as {types}.")
    is_form = request.mimetype == FORM_TYPE
    with _temporary_file() as body:
        size = _receive(body, MAX_FILE_BYTES + _FORM_BYTES if is_form else MAX_FILE_BYTES)
        if is_form:
            with _file_of_form(body, size) as file:
                yield file
        else:
            _check_size(size)
            yield body


def _receive(body: IO[bytes], limit: int) -> int:
    """Copy the body of the request; its size. Reads at most one byte too many, whatever Content-Length says."""
    request.max_content_length = limit + 1
    if (request.content_length or 0) > limit:
        raise RequestEntityTooLarge
    size = 0
    while chunk := request.stream.read(min(_CHUNK_BYTES, limit + 1 - size)):
        size += body.write(chunk)
        if size > limit:
            raise RequestEntityTooLarge
    body.seek(0)
    return size


@contextmanager
def _file_of_form(body: IO[bytes], size: int) -> Iterator[IO[bytes]]:
    with ExitStack() as opened:
        parser = FormDataParser(
            # Closes what was opened for other fields, too, or before the form turned out to be none.
            stream_factory=lambda *_, **__: opened.enter_context(_temporary_file()),
            max_form_memory_size=_PARSER_BYTES,
            max_form_parts=10,
            silent=False,
        )
        try:
            _, _, files = parser.parse(body, FORM_TYPE, size, dict(request.mimetype_params))
        except ValueError:
            raise MalformedError("The body is not a valid form.") from None
        file = files.get("file")
        if file is None:
            raise _missing()
        _check_size(file.stream.seek(0, 2))
        file.stream.seek(0)
        yield file.stream


def _temporary_file() -> IO[bytes]:
    return SpooledTemporaryFile(max_size=_MEMORY_BYTES)


def _check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise RequestEntityTooLarge
    if size == 0:
        raise _missing()


def _missing() -> InvalidError:
    return InvalidError("The request needs a picture.", errors={"file": ["The file is missing or empty."]})
