"""Real files to send: made here, by Pillow or byte by byte."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image


def make_image(
    size: tuple[int, int] = (200, 150), mode: str = "RGB", left: Any = "red", right: Any = "blue"
) -> Image.Image:
    """One colour on the left half, another one on the right."""
    image = Image.new(mode, size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


def encode(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(**options: Any) -> bytes:
    return encode(make_image(), "JPEG", **options)


def png(**options: Any) -> bytes:
    return encode(make_image(), "PNG", **options)


def open_webp(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data), formats=["WEBP"])
    image.load()
    return image


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks: bytes) -> bytes:
    """A PNG file with more chunks after its header."""
    whole = png()
    return whole[:33] + b"".join(chunks) + whole[33:]


def png_that_claims(width: int, height: int) -> bytes:
    """A file of some hundred kilobytes at most that is as large as it says: its pixels are all alike."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    compressor = zlib.compressobj(9)
    row = bytes(1 + width)
    data = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def webp_that_claims(width: int, height: int) -> bytes:
    """A WebP file of the extended format whose canvas has this size; its picture is smaller."""
    inner = encode(make_image(), "WEBP")[12:]
    extended = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (width - 1).to_bytes(3, "little")
    body = b"WEBP" + extended + (height - 1).to_bytes(3, "little") + inner
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of_many_scans(count: int) -> bytes:
    """A progressive JPEG that goes over all its pixels `count` times."""
    whole = encode(Image.new("L", (4000, 4000)), "JPEG", progressive=True)
    start = whole.rindex(b"\xff\xda")
    return whole[:start] + whole[start:-2] * count + whole[-2:]
