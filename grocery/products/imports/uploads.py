"""Files that come in: kept on disk while they are received and checked, never whole in memory."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import wraps
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from flask import Request, request
from werkzeug.exceptions import LengthRequired

from grocery.errors import InvalidError, MalformedError, MediaTypeError

#: Bytes of an upload. 100,000 products with their descriptions have 30 MB.
MAX_UPLOAD_BYTES = 64 * 1024 * 1024

_BLOCK_BYTES = 256 * 1024
_FORM = "multipart/form-data"
_CSV = "text/csv"

#: For `blp.doc`.
UPLOAD_BODY = {
    "required": True,
    "description": f"The CSV file, {MAX_UPLOAD_BYTES // 1024 // 1024} MiB at most.",
    "content": {
        _FORM: {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
        },
        _CSV: {
            "schema": {"type": "string"},
            "example": "sku,name,category,price\nMILK-500,Fresh Milk 500 ml,Dairy/Milk,65.00\n",
        },
    },
}


def csv_body(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let this route take large bodies, and answer 415 for any that is neither a form nor CSV."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        request.max_content_length = MAX_UPLOAD_BYTES
        if request.mimetype not in (_FORM, _CSV):
            raise MediaTypeError(f"Send the file as {_CSV}, or as the field `file` of {_FORM}.")
        return view(*args, **kwargs)

    return wrapper


@contextmanager
def received_file() -> Iterator[tuple[Path, str | None]]:
    """The uploaded file of this request and its name, if it has one.

    Raises InvalidError when there is none, MalformedError for one that broke off, LengthRequired for a body of CSV that
    does not say how long it is, RequestEntityTooLarge for more than MAX_UPLOAD_BYTES.
    """
    with closing(request), NamedTemporaryFile(prefix="grocery-import-") as file:  # a request closes its form's files
        if request.mimetype == _FORM:
            filename = _copy_field(file)
        else:
            filename = None
            _copy_body(request, file)
        file.flush()
        yield Path(file.name), filename


def _copy_field(target: IO[bytes]) -> str | None:
    upload = request.files.get("file")
    if upload is None:
        raise InvalidError("The form has no file.", errors={"file": ["Must be a CSV file."]})
    upload.save(target, buffer_size=_BLOCK_BYTES)
    return upload.filename or None


def _copy_body(sender: Request, target: IO[bytes]) -> None:
    # Servers do not tell a body whose sender was lost from one that is over. Half of a file must not be imported, let
    # alone a price whose last digits are missing: only the length tells. A form ends with its boundary.
    length = sender.content_length or 0
    received = 0
    while block := sender.stream.read(_BLOCK_BYTES):
        if not length:
            raise LengthRequired("Send Content-Length with text/csv, or send the file as a form.")
        received += len(block)
        target.write(block)
    if received < length:
        raise MalformedError(f"Of {length} bytes, {received} came.")
