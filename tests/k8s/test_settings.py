"""The settings that pods are given: each is one, none is forgotten, and the program accepts them as they stand."""

import importlib.util
from collections.abc import Mapping

import pytest
from flask import Flask
from flask.cli import FlaskGroup

from grocery.config import ConfigError, load_settings, setting_names
from tests.k8s.manifests import ALL, K8S, Object, containers, get, load, needs_kubectl, ours, pod_of, read, read_base

#: Settings that no pod is given, and why.
NOT_GIVEN = {
    "AT_BASE_URL": "for tests",
    "DRAIN_FILE": "flask serve makes its own",
    "MEDIA_DIR": "pictures are in a bucket",
    "PROMETHEUS_MULTIPROC_DIR": "flask serve makes its own",
}

#: What the Secret must have for the settings of the base.
NEEDED = {
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
    "JWT_SECRET_KEYS": "2026a:0123456789abcdef0123456789abcdef",
    "DATABASE_URL": "postgresql://grocery:x@pgbouncer:6432/grocery",
    "REDIS_URL": "redis://:x@valkey:6379/0",
    "AT_USERNAME": "shop",
    "AT_API_KEY": "x",
    "S3_ACCESS_KEY": "x",
    "S3_SECRET_KEY": "x",
}


def settings_of(objects: list[Object]) -> dict[str, str]:
    data: dict[str, str] = get(objects, "ConfigMap", "grocery")["data"]
    return data


def secret_names() -> set[str]:
    [secret] = read(K8S / "secret.example.yaml")
    return set(secret["stringData"])


@pytest.mark.parametrize("what", ALL)
def test_pods_are_given_settings_and_nothing_else(what: str) -> None:
    objects = load(what)
    assert sorted(settings_of(objects).keys() - set(setting_names())) == []
    assert sorted(settings_of(objects).keys() & secret_names()) == []
    for found in ours(objects):
        for container in pod_of(found)["containers"]:
            assert container["envFrom"] == [{"configMapRef": {"name": "grocery"}}, {"secretRef": {"name": "grocery"}}]
            assert "env" not in container


def test_every_setting_has_its_place() -> None:
    given = settings_of(read_base()).keys() | secret_names()
    assert sorted(secret_names() - set(setting_names())) == []
    assert sorted(set(setting_names()) - given) == sorted(NOT_GIVEN), "put it into k8s/base/settings.yaml"
    [secret] = read(K8S / "secret.example.yaml")
    assert NEEDED.keys() <= secret["stringData"].keys()


@pytest.mark.parametrize("what", ["deployment", pytest.param("prod", marks=needs_kubectl)])
def test_the_program_accepts_the_settings(what: str) -> None:
    settings = load_settings({**settings_of(load(what)), **NEEDED})
    assert (settings.is_production, settings.host, settings.port) == (True, "0.0.0.0", 8000)
    assert (settings.sms_backend, settings.mail_backend, settings.media_backend) == ("africastalking", "smtp", "s3")
    assert settings.log_format == "json"
    assert str(settings.data_dir).startswith("/tmp/")  # the rest cannot be written to
    assert str(settings.liveness_file).startswith("/tmp/")


@needs_kubectl
def test_the_program_accepts_the_settings_for_trying_with_their_secrets() -> None:
    objects = load("dev")
    env = (K8S / "overlays" / "dev" / "secrets.env").read_text()
    secrets = dict(line.split("=", 1) for line in env.splitlines())
    assert secrets.keys() == get(objects, "Secret", "grocery")["data"].keys() <= secret_names()
    settings = load_settings({**settings_of(objects), **secrets})
    assert not settings.is_production
    mounts = get(objects, "Deployment", "api")["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert str(settings.media_dir) in [mount["mountPath"] for mount in mounts]
    for name, port in (("postgres", 5432), ("valkey", 6379)):
        [served] = get(objects, "Service", name)["spec"]["ports"]
        assert served["port"] == port
        assert f"{name}:{port}/" in "".join(secrets.values())


@pytest.mark.parametrize("missing", NEEDED)
def test_the_program_misses_each_secret(missing: str) -> None:
    """So `NEEDED` is not longer than it must be, and documents what it says."""
    with pytest.raises(ConfigError) as caught:
        load_settings({**settings_of(read_base()), **NEEDED, missing: ""})
    assert [problem for problem in caught.value.problems if problem.startswith(missing)] != []


def test_no_secret_is_kept_in_the_base() -> None:
    assert [found for found in read_base() if found["kind"] == "Secret"] == []
    [example] = read(K8S / "secret.example.yaml")
    values: Mapping[str, str] = example["stringData"]
    assert {name: value for name, value in values.items() if value and "PASSWORD" not in value} == {}


def test_pods_start_programs_that_exist(migrated_app: Flask) -> None:
    commands = [command for _, container in containers(read_base()) for command in [container["command"]]]
    assert len(commands) == 12
    group = FlaskGroup(create_app=lambda: migrated_app)
    for command in commands:
        match command:
            case ["python", "-m", module, *_]:
                assert importlib.util.find_spec(f"{module}.__main__")
            case ["flask", "--app", "wsgi", name]:
                assert name in (migrated_app.cli.commands.keys() | group.commands.keys()), name
            case ["rq", "worker", *_]:
                assert importlib.util.find_spec("rq.cli")
            case _:
                raise AssertionError(command)
