"""Kubernetes, KEDA and the Prometheus operator know every object, and every field of it."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from kubernetes_validate import utils

from tests.k8s.manifests import ALL, K8S, Object, get, load, name_of, read, read_base

#: The oldest release that the fields need, and the newest that is known here.
VERSIONS = ["1.29", kubernetes_validate.latest_version()]

#: Kinds that are defined in a cluster, with the schemas of their definitions: see "$comment" there.
DEFINED = {path.stem for path in (Path(__file__).parent / "schemas").iterdir()}


@pytest.fixture(autouse=True, scope="module")
def quick_schemas() -> Iterator[None]:
    """The package reads its schemas of some megabytes anew for each object."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", functools.cache(utils.schema_contents))
        yield


def schema_of(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((Path(__file__).parent / "schemas" / f"{kind.lower()}.json").read_text())
    return schema


def validate(found: Object, version: str) -> None:
    """Raises jsonschema.ValidationError; kubernetes_validate.SchemaNotFoundError for a kind that nobody knows."""
    if found["kind"].lower() in DEFINED:
        jsonschema.Draft202012Validator(schema_of(found["kind"])).validate(found)
    else:
        kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.parametrize("what", ALL)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_its_schema(version: str, what: str) -> None:
    objects = load(what)
    assert len({name_of(found) for found in objects}) == len(objects) >= 26
    for found in objects:
        validate(found, version)


def test_the_example_of_a_secret_fits_its_schema() -> None:
    [secret] = read(K8S / "secret.example.yaml")
    validate(secret, VERSIONS[0])


@pytest.mark.parametrize(
    ("file", "kind", "name", "field", "value"),
    [
        ("base", "Deployment", "api", "replica", 2),
        ("base", "Deployment", "api", "minReadySeconds", "soon"),
        ("base", "PodDisruptionBudget", "api", "maxUnavailables", 1),
        ("base", "HorizontalPodAutoscaler", "api", "scaleTargetRef", {}),
        ("base", "NetworkPolicy", "mail", "policyTypes", "Egress"),
        ("scaling", "ScaledObject", "worker-bulk", "minReplicas", 1),
        ("scaling", "ScaledObject", "worker-bulk", "triggers", [{"type": "postgresql"}]),
        ("scaling", "ScaledObject", "worker-bulk", "pollingInterval", "15s"),
        ("scaling", "TriggerAuthentication", "scaler", "secretTargetRef", [{"name": "scaler", "key": "host"}]),
        ("monitoring", "PodMonitor", "api", "podMetricsEndpoints", [{"port": "http", "interval": "half a minute"}]),
        ("monitoring", "PodMonitor", "api", "endpoints", []),
        ("rules", "PrometheusRule", "grocery", "groups", [{"name": "x", "rules": [{"alerts": "x", "expr": "1"}]}]),
    ],
)
def test_what_does_not_fit_is_found(file: str, kind: str, name: str, field: str, value: Any) -> None:
    objects = read_base() if file == "base" else read(K8S / "overlays" / "prod" / f"{file}.yaml")
    found = get(objects, kind, name)
    validate(found, VERSIONS[0])
    found["spec"][field] = value
    with pytest.raises(jsonschema.ValidationError):
        validate(found, VERSIONS[0])


def test_a_kind_that_nobody_knows_is_found() -> None:
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        validate({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "metadata": {"name": "x"}}, VERSIONS[0])
