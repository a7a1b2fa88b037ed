"""Pictures of products as phones take them: no two alike, and as hard to compress as real ones."""

import random

from PIL import Image, ImageFilter

from tests.products.images.pictures import encode

_PATCHES = (48, 36)
_SIZE = (480, 360)


def picture(number: int) -> bytes:
    """A JPEG of patches of colour, of which the thumbnail is nearly as large as thumbnails get."""
    chance = random.Random(number)
    patches = Image.frombytes("RGB", _PATCHES, chance.randbytes(_PATCHES[0] * _PATCHES[1] * 3))
    soft = patches.filter(ImageFilter.GaussianBlur(1)).resize(_SIZE, Image.Resampling.BICUBIC)
    return encode(soft, "JPEG", quality=90)
