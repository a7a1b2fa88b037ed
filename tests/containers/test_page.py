"""docs/containers.md names what is there."""

import re
import shlex
from itertools import pairwise

import pytest

from grocery.config import setting_names
from tests.containers.files import ROOT, compose, instructions

PAGE = (ROOT / "docs/containers.md").read_text()

COMMANDS = [
    line[2:]
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_name_files_and_services_that_exist(command: str) -> None:
    words = shlex.split(command)
    if words[0] == "sh":
        assert (ROOT / words[1]).is_file()
        return
    assert words[:2] == ["docker", "compose"]
    for option, file in pairwise(words):
        assert option != "-f" or (ROOT / file).is_file()
    if "exec" in words:
        service = next(word for word in words[words.index("exec") + 1 :] if not word.startswith("-"))
        assert service in compose()["services"]
    if "cp" in words:
        service, _, path = words[words.index("cp") + 1].partition(":")
        assert f"media:{path}" in compose()["services"][service]["volumes"]


def test_all_volumes_are_named_and_no_others() -> None:
    [table] = re.findall(r"^\| Volume .*?\n\n", PAGE, re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(compose()["volumes"])


def test_names_in_capitals_are_settings_or_of_the_files_of_containers() -> None:
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)[=`]", PAGE))
    of_files = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    of_files |= {rest.split("=")[0] for name, rest in instructions() if name == "ARG"}
    assert named
    assert named - set(setting_names()) - of_files == set()


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([a-z-]+\.md)\)", PAGE):
        assert target in {"kubernetes.md", "data.md"} or (ROOT / "docs" / target).is_file()
