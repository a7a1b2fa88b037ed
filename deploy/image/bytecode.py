"""Compile what the shop imports: `python bytecode.py`, run by the Dockerfile in what becomes the image.

A file system that cannot be written keeps no bytecode, so that each process would compile everything again, for some
seconds. Of the packages each module is there once: as bytecode if the shop imports it, else as its source. Stacks name
their files and lines all the same. Of Python and of the shop itself the sources stay. Bytecode is never compared with
its source, as nothing changes in an image.
"""

import py_compile
import ssl
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from py_compile import PycInvalidationMode

import grocery
from grocery.app import create_app
from grocery.config import load_settings

# What the commands import that start the processes.
COMMANDS = ("alembic.command", "flask.cli", "granian.cli", "granian.server", "rq.cli")

# Enough for an application that never connects.
MADE_UP = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "-" * 32,
    "JWT_SECRET_KEYS": "none:" + "-" * 32,
}


# Parts of Python that are linked with libraries of the system.
LINKED = ("bz2", "ctypes", "hashlib", "lzma", "readline", "ssl", "uuid", "xml.parsers.expat", "zlib")


def main() -> None:
    """Import everything, then compile what was imported. Ends with an error when anything cannot be imported."""
    for name in (*LINKED, *COMMANDS, *_modules_of_the_shop()):
        import_module(name)
    create_app(load_settings(MADE_UP))
    if not ssl.create_default_context().get_ca_certs() and not ssl.get_default_verify_paths().capath:
        sys.exit("There are no certificates of authorities.")
    imported = {Path(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
    for file in sorted((imported | set(Path.cwd().rglob("*.py"))) - {Path(__file__)}):
        if file.suffix == ".py":
            _compile(file)


def _modules_of_the_shop() -> list[str]:
    names = [module.name for module in walk_packages(grocery.__path__, "grocery.")]
    return [name for name in names if not name.endswith(".__main__")]


def _compile(file: Path) -> None:
    is_of_a_package = "site-packages" in file.parts
    target = str(file.with_suffix(".pyc")) if is_of_a_package else None
    py_compile.compile(str(file), target, doraise=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    if is_of_a_package:
        file.unlink()


if __name__ == "__main__":
    main()
