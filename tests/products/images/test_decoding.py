"""Files that strangers send: what comes out of good ones, and how bad ones are refused."""

import tracemalloc
import zlib
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms

from grocery.errors import InvalidError
from grocery.products.images.decoding import decode
from grocery.products.images.encoding import THUMBNAIL_BYTES, read_picture
from grocery.products.images.errors import ImageTooLargeError, ImageTooSmallError, UnreadableImageError
from tests.products.images.pictures import (
    chunk,
    encode,
    jpeg,
    make_image,
    open_webp,
    png,
    png_that_claims,
    png_with,
    webp_that_claims,
)

RED, BLUE = (255, 0, 0), (0, 0, 255)


def versions(data: bytes) -> list[Image.Image]:
    """What is served: 320, 640 and 1280 wide."""
    return [open_webp(version) for version in read_picture(BytesIO(data)).files.values()]


def colours(data: bytes) -> tuple[Any, Any]:
    """Of the left and the right half."""
    image = decode(BytesIO(data), 1280)
    return image.getpixel((image.width // 4, image.height // 2)), image.getpixel(
        (image.width * 3 // 4, image.height // 2)
    )


def near(pixel: Any, wanted: tuple[int, ...]) -> bool:
    return all(abs(have - want) <= 6 for have, want in zip(pixel, wanted, strict=True))


def icc_profile(name: Any = "sRGB") -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


# Sizes


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((2000, 1000), [(320, 160), (640, 320), (1280, 640)]),
        ((500, 400), [(320, 256), (500, 400), (500, 400)]),
        ((100, 100), [(100, 100)] * 3),
        ((1000, 8000), [(320, 2560)] * 3),
    ],
)
def test_nothing_is_enlarged(size: tuple[int, int], wanted: list[tuple[int, int]]) -> None:
    assert [image.size for image in versions(encode(make_image(size)))] == wanted


@pytest.mark.parametrize("size", [(99, 100), (5000, 20), (1, 1)])
def test_a_tiny_picture_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ImageTooSmallError):
        decode(BytesIO(encode(Image.new("RGB", size))), 1280)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (png_that_claims(10_000, 10_000), "10000 × 10000 pixels; at most 40 million"),
        (encode(Image.new("1", (8001, 5000)), "PNG"), "8001 × 5000 pixels; at most 40 million"),
        (webp_that_claims(10_000, 10_000), "10000 × 10000 pixels; at most 20 million"),
        (webp_that_claims(2**24, 2**8), "16777216 × 256 pixels; at most 20 million"),
    ],
    ids=["png", "just above", "webp", "webp beyond its own limit"],
)
def test_a_picture_of_too_many_pixels_is_refused_without_being_decoded(data: bytes, words: str) -> None:
    tracemalloc.start()
    with pytest.raises(ImageTooLargeError) as caught:
        decode(BytesIO(data), 1280)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert words in caught.value.detail
    assert caught.value.code == "image_too_large"
    assert peak < 2_000_000


def test_forty_million_pixels_are_taken() -> None:
    assert [image.size for image in versions(encode(Image.new("L", (8000, 5000)), "JPEG"))][2] == (1280, 800)


def test_a_thumbnail_is_small() -> None:
    """Noise is what compresses worst."""
    noise = Image.merge("RGB", [Image.effect_noise((640, 640), 90) for _ in range(3)])
    plain = list(read_picture(BytesIO(encode(make_image((640, 640))))).files.values())
    noisy = list(read_picture(BytesIO(encode(noise))).files.values())
    assert len(plain[0]) <= THUMBNAIL_BYTES
    assert len(noisy[0]) < len(noisy[1]) / 5


# Colours


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (encode(make_image(), "JPEG", quality=95), (RED, BLUE)),
        (encode(make_image(), "JPEG", progressive=True, quality=95), (RED, BLUE)),
        (png(), (RED, BLUE)),
        (encode(make_image(), "WEBP", lossless=True), (RED, BLUE)),
        (encode(make_image(mode="P", left=0, right=1), "PNG"), ((0, 0, 0), (1, 1, 1))),
        (encode(make_image().quantize(4), "PNG"), (RED, BLUE)),
        (encode(make_image(mode="L", left=30, right=200), "PNG"), ((30, 30, 30), (200, 200, 200))),
        (encode(make_image(mode="1", left=0, right=1), "PNG"), ((0, 0, 0), (255, 255, 255))),
        (encode(make_image(mode="I;16", left=257 * 30, right=257 * 200), "PNG"), ((30, 30, 30), (200, 200, 200))),
        (encode(make_image(mode="CMYK", left=(0, 255, 255, 0), right=(255, 255, 0, 0))), (RED, BLUE)),
        (encode(make_image(mode="RGBA", left=(255, 0, 0, 128)), "PNG"), ((*RED, 128), (*BLUE, 255))),
        (encode(make_image(mode="LA", left=(30, 9), right=(200, 255)), "PNG"), ((30, 30, 30, 9), (200, 200, 200, 255))),
        (encode(make_image(mode="RGBA"), "PNG"), (RED, BLUE)),
        (encode(make_image(), "PNG", transparency=RED), ((*RED, 0), (*BLUE, 255))),
        (encode(make_image(mode="P", left=0, right=1), "PNG", transparency=0), ((0, 0, 0, 0), (1, 1, 1, 255))),
    ],
)  # fmt: skip
def test_every_kind_of_colours_comes_out_right(data: bytes, wanted: tuple[Any, Any]) -> None:
    left, right = colours(data)
    assert near(left, wanted[0]), left
    assert near(right, wanted[1]), right


def test_large_pictures_made_in_bands_come_out_right() -> None:
    left, right = colours(encode(make_image((6000, 2100), "RGBA", (255, 0, 0, 128), (0, 0, 255, 255)), "PNG"))
    assert near(left, (*RED, 128))
    assert near(right, (*BLUE, 255))


def test_a_colour_profile_is_applied_and_a_wrong_one_dropped() -> None:
    """LAB's is none for RGB; the same values in sRGB stay what they are."""
    for profile in (icc_profile(), icc_profile("LAB"), b"x" * 500):
        data = encode(make_image(), "PNG", icc_profile=profile)
        left, right = colours(data)
        assert (near(left, RED), near(right, BLUE)) == (True, True)
        assert [image.info.get("icc_profile") for image in versions(data)] == [None] * 3


# Metadata


@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [
        (1, (200, 150), (10, 75)),
        (2, (200, 150), (190, 75)),
        (3, (200, 150), (190, 75)),
        (4, (200, 150), (10, 75)),
        (5, (150, 200), (75, 10)),
        (6, (150, 200), (75, 10)),
        (7, (150, 200), (75, 190)),
        (8, (150, 200), (75, 190)),
        (99, (200, 150), (10, 75)),
    ],
)
def test_pictures_are_turned_upright(orientation: int, size: tuple[int, int], red_at: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode(BytesIO(encode(make_image(), quality=95, exif=exif)), 1280)
    assert image.size == size
    assert near(image.getpixel(red_at), RED)


def test_a_turned_picture_keeps_the_width() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert versions(encode(make_image((3000, 2000)), exif=exif))[2].size == (1280, 1920)


def test_no_metadata_get_through() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif[0x8825] = {1: "S", 2: (1.0, 17.0, 11.0)}
    for data in (
        jpeg(exif=exif, comment=b"secret place", xmp=b"<secret place/>"),
        png_with(chunk(b"tEXt", b"Comment\0secret place")),
        encode(make_image(), "WEBP", exif=exif, xmp=b"<secret place/>"),
    ):
        for version in read_picture(BytesIO(data)).files.values():
            assert b"secret" not in version
            assert not {"exif", "xmp", "icc_profile"} & open_webp(version).info.keys()
            assert version[12:16] == b"VP8 "  # the simple format has no room for metadata


def test_broken_metadata_do_not_matter() -> None:
    assert colours(jpeg(exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff"))


# What pretends


@pytest.mark.parametrize(
    "tail",
    [b"<html><script>alert(1)</script></html>", b"PK\x05\x06" + bytes(18), b"*/=1;alert(1)//", jpeg()],
)
def test_what_is_appended_to_a_picture_is_dropped(tail: bytes) -> None:
    for data in (jpeg(), png()):
        assert read_picture(BytesIO(data + tail)) == read_picture(BytesIO(data))


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [make_image(), make_image(left="green")]
    for kind in ("PNG", "WEBP"):
        data = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, lossless=True)
        left, _ = colours(data)
        assert near(left, RED)
        assert [image.n_frames for image in versions(data)] == [1, 1, 1]  # type: ignore[attr-defined]


def test_of_two_pictures_in_one_file_of_a_camera_the_first_is_taken() -> None:
    data = encode(make_image(), "MPO", save_all=True, append_images=[make_image(left="green")], quality=95)
    assert near(colours(data)[0], RED)


BOMB = zlib.compress(bytes(50_000_000))


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"<html>" * 100,
        b"%PDF-1.7\n" + jpeg(),
        encode(make_image(), "GIF"),
        encode(make_image(), "BMP"),
        encode(make_image(), "TIFF"),
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        jpeg()[:-300],
        jpeg()[:200],
        jpeg()[:20],
        png()[:-60],
        png()[:40],
        png().replace(b"IDAT", b"IDAX"),
        png()[:41] + b"\xff" * 10 + png()[51:],
        encode(make_image(), "WEBP")[:-20],
        encode(make_image(), "WEBP")[:30],
        webp_that_claims(400, 400),
        png_with(chunk(b"zTXt", b"Comment\0\0" + BOMB)),
        png_with(chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB)),
        png_with(chunk(b"iCCP", b"Profile\0\0" + BOMB)),
        png_with(chunk(b"IHDR", b"")),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableImageError) as caught:
        read_picture(BytesIO(data))
    assert isinstance(caught.value, InvalidError)
    assert caught.value.detail == "This is no JPEG, PNG or WebP file, or a broken one."


def codes_of(files: Iterable[bytes]) -> set[str]:
    """How files were refused; raises what is no refusal."""
    refused = set()
    for data in files:
        try:
            assert len(versions(data)) == 3
        except InvalidError as error:
            refused.add(error.code)
    return refused


def test_a_picture_cut_anywhere_is_read_or_refused_but_nothing_else() -> None:
    for whole in (jpeg(progressive=True), png(), encode(make_image(), "WEBP")):
        assert codes_of(whole[:end] for end in range(0, len(whole), 11)) == {"unreadable_image"}


def test_a_picture_with_any_byte_wrong_is_read_or_refused_but_nothing_else() -> None:
    for whole in (jpeg(), png(), encode(make_image(), "WEBP")):
        damaged = [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(0, len(whole), 11)]
        assert codes_of(damaged) <= {"unreadable_image", "image_too_large", "image_too_small"}
