"""docs/kubernetes.md: its commands name what is there, and what can be run of it is run."""

import itertools
import re
import shlex
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
import yaml

from grocery.config import load_settings
from tests.e2e.shop import ROOT
from tests.k8s.manifests import BASE, K8S, Object, get, needs_kubectl, of_kind, pod_of, read, read_base
from tests.k8s.test_settings import settings_of

PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
PROD = K8S / "overlays" / "prod"


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for _, block in found]


def commands() -> list[list[str]]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert all(line.startswith("$ kubectl ") for line in lines)
    return [shlex.split(line.removeprefix("$ "))[1:] for line in lines]


def existing() -> set[str]:
    """Names of objects as commands write them."""
    objects: list[Object] = [*read_base(), *(found for path in PROD.glob("*.yaml") for found in read(path))]
    names = {f"{found['kind'].lower()}/{found['metadata']['name']}" for found in objects if "metadata" in found}
    return names | {f"deploy/{found['metadata']['name']}" for found in of_kind(objects, "Deployment")}


def table(heading: str) -> list[str]:
    """The first cells of the rows below a row of headings."""
    [rows] = re.findall(rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [row.split(" | ")[0].removeprefix("| ") for row in rows.splitlines()]


def test_commands_name_files_and_objects_that_exist() -> None:
    assert len(commands()) > 15
    for words in commands():
        for option, value in itertools.pairwise(words):
            if option in ("-f", "-k"):
                assert (ROOT / value).exists(), value
            if option == "-n":
                assert value == "grocery"
        # What the applied files have in them already says where it belongs.
        assert "-n" in words or words[0] == "apply", words
        for word in words:
            if re.fullmatch(r"[a-z]+/[a-z-]+", word):
                assert word in existing(), word


def test_every_file_is_explained() -> None:
    explained = {name for cell in table("In `base/`") for name in re.findall(r"`([^`]+)`", cell)}
    assert explained == {path.name for path in BASE.iterdir()} - {"kustomization.yaml"}
    explained = {name.rstrip("/") for cell in table("In `k8s/`") for name in re.findall(r"`([^`]+)`", cell)}
    assert explained == {"base", "overlays/dev", "overlays/prod", "deployment.yaml", "secret.example.yaml"}
    assert {path.name for path in K8S.iterdir()} == {name.split("/")[0] for name in explained}
    explained = {cell.strip("`") for cell in table("File")}
    assert explained == {path.name for path in PROD.glob("*.yaml")}


def test_numbers_of_the_page_are_those_of_the_manifests() -> None:
    for found in of_kind(read(PROD / "scaling.yaml"), "ScaledObject"):
        name, spec = found["metadata"]["name"], found["spec"]
        [row] = re.findall(rf"^\| `{name}` \|.*", PAGE, re.MULTILINE)
        assert f"{spec['minReplicaCount']} to {spec['maxReplicaCount']}" in row
        target = spec["triggers"][0]["metadata"]["targetQueryValue"]
        assert target == "1" or f"each {target} " in row
    [base] = of_kind(read_base(), "HorizontalPodAutoscaler")
    [prod] = of_kind(read(PROD / "api.yaml"), "HorizontalPodAutoscaler")
    for scaler in (base, prod):
        assert f"{scaler['spec']['minReplicas']} to {scaler['spec']['maxReplicas']}" in PAGE
    for name, startup in (("api", "2 minutes"), ("stream", "1 minute"), ("relay", "2 minutes")):
        [container] = pod_of(get(read_base(), "Deployment", name))["containers"]
        probe = container["startupProbe"]
        assert f"{probe['periodSeconds'] * probe['failureThreshold'] // 60} minute" in startup
    assert "| startup | `/healthz`, 2 minutes | `/healthz`, 1 minute | `python -m grocery.probe`, 2 minutes |" in PAGE


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The directory in which the page's shell commands were run."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed, which makes the secrets")
    for script in blocks("sh"):
        subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, check=True, timeout=30)
    return tmp_path


def test_the_file_of_secrets_is_one_with_which_the_program_starts(written: Path) -> None:
    lines = (written / "grocery.env").read_text().splitlines()
    secrets = dict(line.split("=", 1) for line in lines)
    settings = load_settings({**settings_of(read_base()), **secrets})
    assert settings.is_production
    assert len({settings.secret_key, *settings.jwt_secret_keys.values(), settings.at_callback_secret}) == 3
    assert (written / "grocery.env").stat().st_mode & 0o077 == 0


@needs_kubectl
def test_secrets_are_made_as_written(written: Path) -> None:
    (written / "userlist.txt").write_text('"grocery" "PASSWORD"\n')
    made = {}
    for words in [words for words in commands() if "create" in words]:
        command = ["kubectl", *words, "--dry-run=client", "-o", "yaml"]
        done = subprocess.run(command, cwd=written, capture_output=True, text=True, timeout=30, check=True)
        secret = yaml.safe_load(done.stdout)
        made[secret["metadata"]["name"]] = set(secret["data"])
        assert secret["metadata"]["namespace"] == "grocery"
    [example] = read(K8S / "secret.example.yaml")
    assert made.pop("grocery") <= set(example["stringData"])
    [authentication] = of_kind(read(PROD / "scaling.yaml"), "TriggerAuthentication")
    assert made.pop("scaler") == {one["key"] for one in authentication["spec"]["secretTargetRef"]}
    assert made == {"pgbouncer": {"userlist.txt"}}
