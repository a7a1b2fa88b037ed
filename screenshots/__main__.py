"""Entry point: `python -m screenshots`, with `--only NAME` and `--out DIRECTORY`."""

import argparse
import sys
import tempfile
from pathlib import Path

from screenshots.camera import Camera, CameraError, find_chromium
from screenshots.pictures import PICTURES, Picture
from screenshots.scene import set_scene
from screenshots.shop import ShopError, running_shop

PLACE = Path(__file__).parent.parent / "docs" / "pictures"


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures; returns the exit code, 1 when one of them could not be taken."""
    wish = _parser().parse_args(arguments)
    wanted = [picture for picture in PICTURES if not wish.only or any(one in picture.name for one in wish.only)]
    if not wanted:
        return _give_up(f"No picture is called {' or '.join(wish.only)}. There are: {_names()}")
    try:
        return _take(wanted, wish.out, find_chromium())
    except (CameraError, ShopError) as error:
        return _give_up(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m screenshots",
        description="Start a demo shop of its own, and take the pictures of the documentation. Day, time and the "
        "numbers of orders are those of the moment; all else is the same every time.",
        epilog=f"Pictures: {_names()}",
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="those with this in their name; repeatable")
    parser.add_argument("--out", type=Path, default=PLACE, metavar="DIRECTORY", help="instead of docs/pictures")
    return parser


def _take(wanted: list[Picture], out: Path, chromium: str) -> int:
    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="screenshots-") as directory:
        _say("Opening a demo shop …")
        with running_shop(Path(directory)) as shop, Camera(chromium, shop) as camera:
            _say("Ordering and picking …")
            places = set_scene(shop, camera)
            for number, picture in enumerate(wanted, 1):
                try:
                    size = camera.take(picture, places, out)
                    _say(f"{number}/{len(wanted)} {picture.name}.webp, {size / 1000:.0f} kB")
                except CameraError as error:
                    failed += 1
                    _say(f"{number}/{len(wanted)} {picture.name} was not taken: {error}")
    return 1 if failed else 0


def _names() -> str:
    return ", ".join(picture.name for picture in PICTURES)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _give_up(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
