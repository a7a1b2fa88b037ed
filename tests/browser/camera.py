"""What a camera of a browser is made to see: a barcode, as a picture without end in the format YUV4MPEG2."""

from pathlib import Path

WIDTH, HEIGHT = 640, 480

#: A script for pages: what reads barcodes on Android.
DETECTOR = Path(__file__).with_name("barcode_detector.js").read_text()

#: Chromium looks at this file instead of through a camera. It is read anew whenever the camera is turned on.
ARGUMENTS = ("--use-fake-device-for-media-stream", "--use-file-for-fake-video-capture={path}")

# ISO/IEC 15420: the sevens modules of a digit on the left side; of the right side, they are the other way round.
_LEFT = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
_RIGHT = tuple(code.translate(str.maketrans("01", "10")) for code in _LEFT)
_EVEN = tuple(code[::-1] for code in _RIGHT)

# Which of the six digits on the left are of even parity says the first digit, which has no bars of its own.
_PARITY = ("OOOOOO", "OOEOEE", "OOEEOE", "OOEEEO", "OEOOEE", "OEEOOE", "OEEEOO", "OEOEOE", "OEOEEO", "OEEOEO")

_BAR, _SPACE, _GREY = 16, 235, 128
_MODULE = 4


def ean13(digits: str) -> str:
    """Twelve digits and their check digit."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def show_to_camera(path: Path, code: str | None) -> None:
    """Write what the camera sees: an EAN-13 in the middle of white paper, or nothing but paper."""
    line = bytes(_line(_bars(code))) if code else bytes([_SPACE] * WIDTH)
    picture = b"FRAME\n" + line * HEIGHT + bytes([_GREY]) * (WIDTH * HEIGHT // 2)
    seen = path.with_suffix(".new")
    seen.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F20:1 Ip A1:1 C420jpeg\n".encode() + picture * 2)
    seen.replace(path)


def _bars(code: str) -> str:
    left = "".join(
        (_LEFT if parity == "O" else _EVEN)[int(digit)]
        for parity, digit in zip(_PARITY[int(code[0])], code[1:7], strict=True)
    )
    right = "".join(_RIGHT[int(digit)] for digit in code[7:])
    return f"101{left}01010{right}101"


def _line(bars: str) -> list[int]:
    modules = [_BAR if bar == "1" else _SPACE for bar in bars for _ in range(_MODULE)]
    margin = [_SPACE] * ((WIDTH - len(modules)) // 2)
    return [*margin, *modules, *margin]
