"""Make the installed packages smaller: `python packages.py SITE_PACKAGES`, run by the Dockerfile.

What goes is what the shop never reads. It was found by its size, and tests/containers runs the shop without it.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# The languages of grocery.config.LANGUAGES, and what all have in common.
LOCALES = ("root", "en", "sw")

NEVER_READ = (
    # Places, carriers and time zones of numbers, and short numbers: the shop only asks whether a number is one.
    "phonenumbers/geodata/*",
    "phonenumbers/carrierdata/*",
    "phonenumbers/tzdata/*",
    "phonenumbers/shortdata/region_*",
    # Other databases.
    "sqlalchemy/dialects/mysql",
    "sqlalchemy/dialects/oracle",
    "sqlalchemy/dialects/mssql",
    "sqlalchemy/testing",
    # Formats of pictures that are refused, texts drawn into pictures, and windows.
    "PIL/_avif.*",
    "PIL/_imagingft.*",
    "PIL/_imagingtk.*",
    "pillow.libs/libavif-*",
    "pillow.libs/libharfbuzz-*",
    "pillow.libs/libfreetype-*",
    # Other ways of comparing words than `OSA`.
    "rapidfuzz/fuzz_cpp*",
    # A parser of C, with which libraries are bound anew.
    "pycparser/*",
    # Swagger UI is in swagger-ui-bundle.js.
    "flask_swagger_ui/dist/swagger-ui.js",
)

# For compilers, editors and packagers.
NOTES = ("**/*.pyi", "**/*.c", "**/*.h", "**/*.proto", "**/tests", "**/__pyinstaller", "*.dist-info/sboms")


def main(packages: Path) -> None:
    """Remove what is never read, and the symbols for debuggers, which are more than half of some packages."""
    for path in _never_read(packages):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for library in packages.rglob("*.so"):
        subprocess.run(["strip", "--strip-unneeded", library], check=True)


def _never_read(packages: Path) -> Iterator[Path]:
    for pattern in NEVER_READ:
        found = list(packages.glob(pattern))
        if not found:
            sys.exit(f"There is no {pattern} any more: look for its new name.")
        yield from found
    for pattern in NOTES:
        yield from list(packages.glob(pattern))
    for path in list(packages.glob("babel/locale-data/*.dat")):
        if path.stem.partition("_")[0] not in LOCALES:
            yield path


if __name__ == "__main__":
    main(Path(sys.argv[1]))
