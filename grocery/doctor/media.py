"""The store of pictures: whether it takes, gives and removes a file."""

import uuid
from collections.abc import Iterator

from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, ok
from grocery.products.images.errors import MediaUnavailableError, PictureNotFoundError
from grocery.products.images.stores import make_store

_CONTENT = b"This file was made by flask doctor, and may be removed."
_PAGE = "docs/operator.md, Pictures"


def look(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    is_directory = settings.media_backend == "directory"
    if is_directory and not settings.media_dir.exists():
        # Made by this user it might not be the shop's to write.
        yield ok(f"{settings.media_dir} is not there yet: the first picture makes it.")
        return
    where = str(settings.media_dir) if is_directory else f"The bucket {settings.s3_bucket} at {settings.s3_endpoint}"
    name = f"doctor/{uuid.uuid4().hex}"
    try:
        store = make_store(settings)
        store.put(name, _CONTENT)
        try:
            is_same = store.get(name) == _CONTENT
        finally:
            store.delete([name])
    except PictureNotFoundError:
        is_same = False
    except MediaUnavailableError as error:
        reason = str(error.__cause__ or "").partition("\n")[0]
        yield failure(f"{where} cannot be used: {reason}", f"Uploads get 503 meanwhile; see {_PAGE}.")
        return
    if is_same:
        yield ok(f"{where} takes, gives and removes files.")
    else:
        yield failure(f"{where} does not give back what it took.", f"What stands in between? See {_PAGE}.")
