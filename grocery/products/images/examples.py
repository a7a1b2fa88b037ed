"""Examples for the API's documentation."""

from grocery.products.examples import PRODUCT

PICTURED_PRODUCT = {
    **PRODUCT,
    "image_url": "/media/0b6f2c41d99e5a7c3e8f10a4b7c2d5e6/640.webp",
    "images": {
        "320": "/media/0b6f2c41d99e5a7c3e8f10a4b7c2d5e6/320.webp",
        "640": "/media/0b6f2c41d99e5a7c3e8f10a4b7c2d5e6/640.webp",
        "1280": "/media/0b6f2c41d99e5a7c3e8f10a4b7c2d5e6/1280.webp",
    },
    "version": 2,
}
