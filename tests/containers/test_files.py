"""Dockerfile and compose.yaml fit each other and the program."""

import json
import re
import subprocess
from fnmatch import fnmatch
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from grocery.config import load_settings, setting_names
from grocery.queues import JOBS
from tests.containers.files import (
    ROOT,
    SERVICES_OF_THE_SHOP,
    compose,
    environment_of_the_image,
    images_of_others,
    instructions,
    last_stage,
)

# What other programs than the shop read from the environment.
NOT_SETTINGS = {"PATH", "LANG", "HOME", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "RQ_WORKER_CLASS"}

ALL_SERVICES = sorted(compose()["services"])


@pytest.mark.parametrize(("where", "image"), sorted(images_of_others().items()))
def test_images_of_others_are_pinned_to_a_version(where: str, image: str) -> None:
    assert re.fullmatch(r"[a-z/]+:[0-9]+\.[0-9]+[a-z0-9.-]*", image), where


def test_the_image_is_of_a_python_that_the_project_supports() -> None:
    required = re.search(r'requires-python = ">=3\.([0-9]+)"', (ROOT / "pyproject.toml").read_text())
    image = re.fullmatch(r"python:3\.([0-9]+)\.[0-9]+-slim-bookworm", images_of_others()["Dockerfile"])
    assert required is not None
    assert image is not None
    assert int(image[1]) >= int(required[1])


def test_the_image_has_the_version_of_the_project() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert ("ARG", f"VERSION={version[1]}") in last_stage()
    assert {s["image"] for s in compose()["services"].values() if s["image"].startswith("grocery:")} == {
        f"grocery:${{GROCERY_VERSION:-{version[1]}}}"
    }


def test_what_the_image_sets_are_settings_with_values_that_hold() -> None:
    environment = environment_of_the_image()
    assert set(environment) - NOT_SETTINGS <= set(setting_names())
    secrets = {"DATABASE_URL": "postgresql://a@b/c", "REDIS_URL": "redis://b", "SECRET_KEY": "s" * 32}
    settings = load_settings({**environment, **secrets, "JWT_SECRET_KEYS": "a:" + "s" * 32})
    assert settings.is_production
    assert settings.host == "0.0.0.0"
    assert str(settings.liveness_file) == "/tmp/grocery-alive"
    assert environment["RQ_WORKER_CLASS"] == "grocery.worker.Worker"


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    last = last_stage()
    assert ("USER", "10001:10001") in last
    assert ("STOPSIGNAL", "SIGTERM") in last
    [command] = [json.loads(rest) for name, rest in last if name == "CMD"]
    [health] = [json.loads(rest.partition("CMD ")[2]) for name, rest in last if name == "HEALTHCHECK"]
    for words in (command, health):
        assert words[:2] == ["python", "-m"]
        assert find_spec(words[2]) is not None
    assert [rest for name, rest in last if name == "EXPOSE"] == ["8000 8001"]


def test_nothing_but_what_the_image_is_made_of_reaches_the_builder() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    let_in = [line[1:] for line in lines if line[0] == "!"]
    assert sorted(let_in) == ["deploy/image", "grocery", "migrations", "requirements.txt", "wsgi.py"]
    # Whatever is copied must have been let in, and the exceptions from the exceptions come last.
    copied = {
        word for name, rest in instructions() if name == "COPY" and "--from" not in rest for word in rest.split()[:-1]
    }
    assert all(any(path == entry or path.startswith(f"{entry}/") for entry in let_in) for path in copied)
    again_out = lines[len(let_in) + 1 :]
    assert all(line.startswith("**/") for line in again_out)
    for name in (".env", ".env.local", "module.pyc", "messages.po"):
        assert any(fnmatch(name, line.removeprefix("**/")) for line in again_out), name


def test_each_role_has_a_service_with_a_command_of_the_program() -> None:
    services = compose()["services"]
    assert set(SERVICES_OF_THE_SHOP) == {n for n, s in services.items() if s["image"].startswith("grocery:")}
    for name in SERVICES_OF_THE_SHOP:
        words = services[name].get("command", ["python", "-m", "grocery.serving"])
        if words[0] == "python":
            assert find_spec(words[2]) is not None
        elif words[0] == "rq":
            assert words[1] == "worker"
        else:
            assert words[:3] == ["flask", "--app", "wsgi"]


def test_each_queue_has_a_worker() -> None:
    commands = [service.get("command", []) for service in compose()["services"].values()]
    assert sorted(words[2] for words in commands if words[:2] == ["rq", "worker"]) == sorted(JOBS)


@pytest.mark.parametrize("name", SERVICES_OF_THE_SHOP)
def test_what_compose_sets_are_settings(name: str) -> None:
    service = compose()["services"][name]
    assert set(service["environment"]) <= set(setting_names())
    assert service["env_file"] == "deploy/compose/secrets.env"


@pytest.mark.parametrize("name", ALL_SERVICES)
def test_every_service_is_confined(name: str) -> None:
    service: dict[str, Any] = compose()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service
    assert service["restart"] == ("on-failure" if name == "migrate" else "unless-stopped")
    assert not {"privileged", "network_mode", "pid", "devices"} & set(service)


def test_only_the_proxy_can_be_reached_from_outside_and_engines_reach_nothing() -> None:
    services = compose()["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert services["proxy"]["ports"] == ["${GROCERY_ADDRESS:-127.0.0.1:8080}:8080"]
    assert compose()["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "valkey", "pgbouncer"):
        assert services[name]["networks"] == ["inside"]


def test_services_wait_for_the_migration_and_get_time_to_end() -> None:
    services = compose()["services"]
    settings = load_settings({})
    for name in set(SERVICES_OF_THE_SHOP) - {"migrate"}:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert int(services["api"]["stop_grace_period"].removesuffix("s")) > settings.drain_seconds + 23
    for queue in JOBS:
        # The jobs of all queues may take less than a minute.
        assert int(services[f"worker-{queue}"]["stop_grace_period"].removesuffix("s")) > 60


def test_addresses_of_engines_fit_their_services() -> None:
    services = compose()["services"]
    assert services["api"]["environment"]["REDIS_URL"] == "redis://valkey:6379/0"
    script = (ROOT / "deploy/compose/make-secrets.sh").read_text()
    pooled, direct = re.findall(r"^DATABASE(?:_DIRECT)?_URL=.*@(\S+)$", script, re.MULTILINE)
    pgbouncer = (ROOT / "deploy/pgbouncer/pgbouncer.ini").read_text()
    [port] = re.findall(r"^listen_port = ([0-9]+)$", pgbouncer, re.MULTILINE)
    assert pooled == f"pgbouncer:{port}/grocery"
    assert direct == "postgres:5432/grocery"
    assert re.search(r"^grocery = host=postgres port=5432 dbname=grocery ", pgbouncer, re.MULTILINE)
    assert f"EXPOSE {port}" in (ROOT / "deploy/pgbouncer/Dockerfile").read_text()


def test_the_pools_fit_into_the_connections_of_postgres() -> None:
    pgbouncer = (ROOT / "deploy/pgbouncer/pgbouncer.ini").read_text()
    sizes = dict(re.findall(r"^(\w+_pool_size) = ([0-9]+)$", pgbouncer, re.MULTILINE))
    [allowed] = re.findall(r"max_connections=([0-9]+)", " ".join(compose()["services"]["postgres"]["command"]))
    processes = load_settings({}).server_processes
    # Past the pooler: LISTEN of each API process, relay and migration, one's own psql, and three that PostgreSQL keeps.
    assert int(sizes["default_pool_size"]) + int(sizes["reserve_pool_size"]) + processes + 2 + 1 + 3 <= int(allowed)


def test_the_proxy_passes_each_path_to_its_process() -> None:
    shop = (ROOT / "deploy/compose/nginx/shop.conf").read_text()
    assert "set $api http://api:8000;" in shop
    assert "set $stream http://stream:8001;" in shop
    [stream] = re.findall(r"location /stream/ \{(.*?)\}", shop, re.DOTALL)
    assert "proxy_pass $stream;" in stream
    assert "proxy_buffering off;" in stream
    assert compose()["services"]["api"]["environment"]["TRUSTED_PROXIES"] == "1"
    # With `$proxy_add_x_forwarded_for` anybody could say who they are.
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in shop
    for header in ("traceparent", "tracestate"):
        assert f'proxy_set_header {header} "";' in shop


def test_what_is_kept_in_memory_has_an_end_below_that_of_its_service() -> None:
    left = {}
    for name in (*SERVICES_OF_THE_SHOP, "proxy"):
        service = compose()["services"][name]
        mounts = [service["tmpfs"]] if isinstance(service["tmpfs"], str) else service["tmpfs"]
        sizes = [int(size) for mount in mounts for size in re.findall(r"size=([0-9]+)m", mount)]
        assert len(sizes) == len(mounts), name
        left[name] = int(service["mem_limit"].removesuffix("m")) - sum(sizes)
    assert min(left.values()) > 100, left
    # 280 MB at rest, and 350 MB for each process that works on the largest picture.
    assert left["api"] > 280 + 350 * load_settings({}).server_processes


def test_postgres_keeps_what_statements_were_about_out_of_its_log() -> None:
    words = compose()["services"]["postgres"]["command"]
    dev = yaml.safe_load_all((ROOT / "k8s/overlays/dev/postgres.yaml").read_text())
    [stateful] = [found for found in dev if found["kind"] == "StatefulSet"]
    for options in (words, stateful["spec"]["template"]["spec"]["containers"][0]["args"]):
        assert options[0] == "postgres"
        given = {value for option, value in pairwise(options) if option == "-c"}
        assert {"log_min_error_statement=panic", "log_error_verbosity=terse"} <= given


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    """What the documented command makes."""
    script = tmp_path / "make-secrets.sh"
    script.write_text((ROOT / "deploy/compose/make-secrets.sh").read_text())
    subprocess.run(["sh", script], check=True, capture_output=True)
    lines = (tmp_path / "secrets.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def test_secrets_are_made_once_and_are_enough_for_production(secrets: dict[str, str], tmp_path: Path) -> None:
    assert set(secrets) <= set(setting_names())
    settings = load_settings({**environment_of_the_image(), **compose()["services"]["api"]["environment"], **secrets})
    assert settings.is_production
    assert len(settings.secret_key) == 43
    assert settings.at_callback_secret
    database = dict(line.split("=", 1) for line in (tmp_path / "database.env").read_text().splitlines()[1:])
    assert set(database) == {"POSTGRES_PASSWORD", "GROCERY_PASSWORD"}
    assert database["GROCERY_PASSWORD"] in secrets["DATABASE_URL"]
    random = [*database.values(), settings.secret_key, settings.at_callback_secret, settings.mail_callback_secret]
    assert len(set(random)) == len(random)
    for file in ("secrets.env", "database.env"):
        assert (tmp_path / file).stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "secrets.env").read_text()
    again = subprocess.run(["sh", tmp_path / "make-secrets.sh"], capture_output=True, text=True)
    assert again.returncode == 1
    assert "secrets.env is there already" in again.stderr
    assert (tmp_path / "secrets.env").read_text() == before


def test_git_keeps_no_secrets_of_compose() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"/deploy/compose/*.env", "/deploy/compose/tls/"} <= set(ignored)


def test_the_file_for_https_changes_only_the_proxy() -> None:
    https = yaml.safe_load((ROOT / "deploy/compose/https.yaml").read_text())
    assert set(https["services"]) == {"proxy"}
    named = https["services"]["proxy"]["command"][2]
    mounted = [entry.split(":")[1] for entry in compose()["services"]["proxy"]["volumes"]]
    assert str(Path(named).parent) in mounted
    assert (ROOT / "deploy/compose/nginx" / Path(named).name).exists()
