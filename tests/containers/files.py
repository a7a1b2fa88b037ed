"""What the files say from which containers are made."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]

SERVICES_OF_THE_SHOP = ("migrate", "api", "stream", "worker-orders", "worker-notify", "worker-bulk", "relay")


@cache
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return parsed


def instructions(path: str = "Dockerfile") -> list[tuple[str, str]]:
    """The instructions of a Dockerfile with what follows them, in their order."""
    text = re.sub(r"^#.*\n", "", (ROOT / path).read_text(), flags=re.MULTILINE).replace("\\\n", "")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def last_stage() -> list[tuple[str, str]]:
    """The instructions that make what the image is."""
    found = instructions()
    last = max(index for index, (name, _) in enumerate(found) if name == "FROM")
    return found[last + 1 :]


def environment_of_the_image() -> dict[str, str]:
    pairs = (re.findall(r"(\w+)=(\S+)", rest) for name, rest in last_stage() if name == "ENV")
    return dict(pair for found in pairs for pair in found)


def images_of_others() -> dict[str, str]:
    """The images that are fetched, by where they are named."""
    found = {name: service["image"] for name, service in compose()["services"].items() if "${" not in service["image"]}
    for path in ("Dockerfile", "deploy/pgbouncer/Dockerfile"):
        [found[path]] = [rest.split("=")[1] for name, rest in instructions(path) if name == "ARG" and "_IMAGE=" in rest]
    return found
