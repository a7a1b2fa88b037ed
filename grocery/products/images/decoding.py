"""A picture that a stranger sent, as a small image of plain colours, without trusting anything that it says of itself.

What decides is Pillow's decoder, never a name or type. The size is checked from the header before anything is decoded,
and the whole is decoded once, straight to little more than the largest size that we serve.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from math import ceil
from threading import Lock
from typing import IO

from PIL import Image, ImageCms
from PIL.Image import Resampling, Transpose

from grocery.products.images.errors import (
    DecoderBusyError,
    ImageTooLargeError,
    ImageTooSmallError,
    UnreadableImageError,
)

MAX_PIXELS = 40_000_000
#: libwebp keeps four copies of 4 bytes a pixel while it decodes, the others one.
MAX_WEBP_PIXELS = 20_000_000
MIN_SIDE = 100

#: Seconds for decoding. A JPEG of a few bytes can ask for thousands of passes over all its pixels.
MAX_SECONDS = 5.0

# Decoding a large picture takes up to MAX_PIXELS × 4 bytes and a second, so one at a time in each process; who has
# waited this long is told to come back, since a waiting upload keeps one of the few threads.
_WAIT_SECONDS = 3.0
_decoding = Lock()

_FORMATS = ("JPEG", "PNG", "WEBP")
# So little is read between two looks at the clock that even the slowest of it takes seconds at most.
_READ_BYTES = 8192
_BAND_ROWS = 64
_ORIENTATION = 0x0112
# EXIF 2.32, 4.6.4: how the camera was held, and what undoes it.
_TRANSPOSES = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_SRGB = ImageCms.createProfile("sRGB")

# Our limits are stricter.
Image.MAX_IMAGE_PIXELS = None


def decode(file: IO[bytes], width: int) -> Image.Image:
    """The picture as RGB or RGBA in sRGB, upright, at most `width` wide and twice as high, never enlarged.

    Of an animated file it is the first frame. Raises UnreadableImageError for what is no JPEG, PNG or WebP, or a broken
    one, ImageTooLargeError, ImageTooSmallError, and DecoderBusyError when other pictures kept the decoder for too long.
    """
    if not _decoding.acquire(timeout=_WAIT_SECONDS):
        raise DecoderBusyError
    try:
        with _unreadable_if_anything_fails(), _without_warnings(), _open(file) as image:
            _check_size(image)
            return _upright(image, width)
    finally:
        _decoding.release()


class _TimedFile:
    """A file that can be read for some seconds only: the one place where a decoder that runs can be stopped."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._ends_at = time.monotonic() + MAX_SECONDS
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        if time.monotonic() > self._ends_at:
            raise UnreadableImageError("The picture takes too long to decode.")
        return self._file.read(size)


@contextmanager
def _unreadable_if_anything_fails() -> Iterator[None]:
    try:
        yield
    except (UnreadableImageError, ImageTooLargeError, ImageTooSmallError):
        raise
    except MemoryError as error:
        raise DecoderBusyError from error
    except Exception as error:  # broken files make decoders raise nearly anything, from SyntaxError to struct.error
        raise UnreadableImageError("This is no JPEG, PNG or WebP file, or a broken one.") from error


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Pillow warns about odd metadata, on standard error, and whoever uploads could fill the log with that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _open(file: IO[bytes]) -> Image.Image:
    _check_webp_header(file)
    image = Image.open(_TimedFile(file), formats=_FORMATS)  # type: ignore[arg-type]  # it reads, seeks and tells
    image.decodermaxblock = _READ_BYTES
    return image


def _check_webp_header(file: IO[bytes]) -> None:
    """libwebp takes the memory for a whole canvas when it opens a file, so its size is read here before that.

    Source: https://developers.google.com/speed/webp/docs/riff_container. Only the extended format can have a canvas
    larger than 16,383 pixels a side, but those of all three are worth a check.
    """
    file.seek(0)
    head = file.read(30)
    file.seek(0)
    if len(head) < 30 or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return
    match head[12:16]:
        case b"VP8X":
            size = int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            size = int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    if size[0] * size[1] > MAX_WEBP_PIXELS:
        raise ImageTooLargeError(*size, MAX_WEBP_PIXELS)


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooLargeError(*image.size, MAX_PIXELS)
    if min(image.size) < MIN_SIDE:
        raise ImageTooSmallError(*image.size, MIN_SIDE)


def _upright(image: Image.Image, width: int) -> Image.Image:
    transpose = _TRANSPOSES.get(_orientation(image))
    is_turned = transpose is not None and transpose.name.startswith(("ROTATE_90", "ROTATE_270", "TRANS"))
    box = (2 * width, width) if is_turned else (width, 2 * width)
    profile = image.info.get("icc_profile")
    small = _in_srgb(_shrink(image, box), profile)
    small.info = {}
    return small if transpose is None else small.transpose(transpose)


def _orientation(image: Image.Image) -> int:
    if image.format == "PNG":
        image.load()  # as reading its metadata does, which may stand behind the pixels: an error must not go unseen
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # metadata that cannot be read are dropped anyway
        return 1


def _shrink(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    scale = min(1.0, box[0] / image.width, box[1] / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    # A JPEG is decoded at a half, a quarter or an eighth of its size right away.
    image.draft(None, (2 * size[0], 2 * size[1]))
    image.load()
    factor = max(1, min(image.width // (2 * size[0]), image.height // (2 * size[1])))
    return _reduce(image, factor).resize(size, Resampling.LANCZOS)


def _reduce(image: Image.Image, factor: int) -> Image.Image:
    """A picture of the nth part of each side, in a mode that can be resized, made in bands.

    Converting the whole first would double the memory at its peak.
    """
    to_plain = _converter(image)
    rows = factor * _BAND_ROWS
    result: Image.Image | None = None
    for top in range(0, image.height, rows):
        band = to_plain(image.crop((0, top, image.width, min(top + rows, image.height)))).reduce(factor)
        if result is None:
            result = Image.new(band.mode, (ceil(image.width / factor), ceil(image.height / factor)))
        result.paste(band, (0, top // factor))
    if result is None:
        raise UnreadableImageError("The picture has no rows.")
    return result


def _converter(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """To a mode of 8 bits a channel without a palette. CMYK stays: its colour profile is needed to convert it well."""
    if image.mode in ("RGB", "RGBA", "L", "CMYK"):
        if "transparency" in image.info:
            return lambda band: band.convert("RGBA")
        return lambda band: band
    if image.mode.startswith("I"):
        # 16 bits of grey. A plain conversion would take all from 255 upwards for white.
        return lambda band: band.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return lambda band: band.convert(mode)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Browsers take pictures without a profile for sRGB, which is what phones on any network show."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        try:
            converted = ImageCms.profileToProfile(image, BytesIO(profile), _SRGB, outputMode=mode)
        except (ImageCms.PyCMSError, ValueError, OSError):
            converted = None  # a broken profile, or one for other colours than these
        if converted is not None:
            return _without_needless_alpha(converted)
    return _without_needless_alpha(image.convert(mode))


def _without_needless_alpha(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    return image
