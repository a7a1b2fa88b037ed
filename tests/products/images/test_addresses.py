"""Names and addresses of pictures."""

import pytest

from grocery.products.images.addresses import digest_of, path_of, public_address, public_addresses, stored_address

DIGEST = "0123456789abcdef" * 2
PATH = f"/media/{DIGEST}/640.webp"
CDN = "https://cdn.example/p"


def test_a_picture_of_ours_has_three_addresses() -> None:
    assert path_of(DIGEST) == PATH
    assert public_address(PATH, "/media") == PATH
    assert public_address(PATH, CDN) == f"{CDN}/{DIGEST}/640.webp"
    assert public_addresses(PATH, CDN) == {
        "320": f"{CDN}/{DIGEST}/320.webp",
        "640": f"{CDN}/{DIGEST}/640.webp",
        "1280": f"{CDN}/{DIGEST}/1280.webp",
    }


@pytest.mark.parametrize(
    "address",
    [
        "https://img.example/a.webp",
        f"{CDN}/{DIGEST}/640.webp",  # rows have the path
        f"/media/{DIGEST}/100.webp",
        f"/media/{DIGEST}/640.webp?x",
        f"/media/{DIGEST}/640.webp\n",
        f"/media/x/{DIGEST}/640.webp",
        f"/pictures/{DIGEST}/640.webp",
        "/media/",
    ],
)
def test_others_stay_as_they_are(address: str) -> None:
    assert public_address(address, CDN) == address
    assert public_addresses(address, CDN) is None


def test_none_is_none() -> None:
    assert (public_address(None, CDN), public_addresses(None, CDN)) == (None, None)


def test_what_was_answered_is_stored_as_a_path() -> None:
    for media_url in ("/media", CDN, "/elsewhere"):
        assert stored_address(f"{media_url}/{DIGEST}/640.webp", media_url) == PATH
        assert stored_address(PATH, media_url) == PATH
        for other in (
            "",
            "https://x.example/1.webp",
            media_url,
            f"{media_url}/a.webp",
            f"{media_url}x/{DIGEST}/640.webp",
        ):
            assert stored_address(other, media_url) == other


def test_only_names_of_our_form_have_a_digest() -> None:
    assert digest_of(f"{DIGEST}/1280.webp") == DIGEST
    for name in (f"{DIGEST}/1280.webp\n", f"{DIGEST}/5.webp", f"x{DIGEST}/640.webp", f"{DIGEST.upper()}/640.webp", ""):
        assert digest_of(name) is None
