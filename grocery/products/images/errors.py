"""What can go wrong with pictures."""

from grocery.errors import BusyError, InvalidError, NotFoundError


class UnreadableImageError(InvalidError):
    """Not a JPEG, PNG or WebP file that can be decoded to its end."""

    code = "unreadable_image"

    def __init__(self, detail: str):
        super().__init__(detail, errors={"file": [detail]})


class ImageTooLargeError(InvalidError):
    """More pixels than we decode."""

    code = "image_too_large"

    def __init__(self, width: int, height: int, max_pixels: int):
        detail = f"The picture has {width} × {height} pixels; at most {max_pixels // 10**6} million are taken."
        super().__init__(detail, errors={"file": [detail]})


class ImageTooSmallError(InvalidError):
    code = "image_too_small"

    def __init__(self, width: int, height: int, min_side: int):
        detail = f"The picture has {width} × {height} pixels; each side must have {min_side} or more."
        super().__init__(detail, errors={"file": [detail]})


class DecoderBusyError(BusyError):
    code = "busy"

    def __init__(self) -> None:
        super().__init__("Another picture is being read. Try again.")


class MediaUnavailableError(BusyError):
    """The store of pictures does not do what it should; nothing was changed in the database."""

    code = "media_unavailable"

    def __init__(self) -> None:
        super().__init__("The store of pictures is away. Try again.")


class PictureNotFoundError(NotFoundError):
    def __init__(self) -> None:
        super().__init__("There is no such picture.")
