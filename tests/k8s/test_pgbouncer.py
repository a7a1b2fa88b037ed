"""PgBouncer of the overlay for customers: its pods have the one file of deploy, and what the file asks for."""

import configparser
import json
import re

from tests.containers.files import instructions
from tests.e2e.shop import ROOT
from tests.k8s.manifests import K8S, get, load, needs_kubectl, of_kind, pod_of, port_names, read

INI = ROOT / "deploy" / "pgbouncer" / "pgbouncer.ini"


@needs_kubectl
def test_the_pods_have_the_file_of_deploy_and_their_secret_where_it_says() -> None:
    objects = load("prod")
    deployment = get(objects, "Deployment", "pgbouncer")
    [volume] = pod_of(deployment)["volumes"]
    settings, secret = volume["projected"]["sources"]
    [item] = secret["secret"]["items"]
    found = get(objects, "ConfigMap", settings["configMap"]["name"])
    assert found["data"] == {"pgbouncer.ini": INI.read_text()}
    assert re.fullmatch(r"pgbouncer-\w+", found["metadata"]["name"])  # changes with the file, which starts them anew
    [container] = pod_of(deployment)["containers"]
    [mount] = container["volumeMounts"]
    # The image starts it in the same way where compose.yaml does.
    assert ("ENTRYPOINT", json.dumps(container["command"])) in instructions("deploy/pgbouncer/Dockerfile")
    assert f"exec pgbouncer {mount['mountPath']}/pgbouncer.ini\n" in (INI.parent / "entrypoint.sh").read_text()
    assert f"[ ! -e {mount['mountPath']}/{item['path']} ]" in (INI.parent / "entrypoint.sh").read_text()
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes=(";",))
    parser.read_string(INI.read_text())
    assert parser["pgbouncer"]["auth_file"] == f"{mount['mountPath']}/{item['path']}"
    assert port_names(deployment) == {"pgbouncer": int(parser["pgbouncer"]["listen_port"])}
    # Where it finds PostgreSQL.
    assert "host=postgres port=5432 " in parser["databases"]["grocery"]
    assert get(objects, "Service", "postgres")["spec"]["type"] == "ExternalName"


def test_the_example_of_secrets_leads_through_it_and_past_it() -> None:
    [secret] = read(K8S / "secret.example.yaml")
    through, past = (secret["stringData"][name] for name in ("DATABASE_URL", "DATABASE_DIRECT_URL"))
    assert "@pgbouncer:6432/grocery" in through
    assert "@postgres:5432/grocery" in past
    [service] = of_kind(read(K8S / "overlays" / "prod" / "pgbouncer.yaml"), "Service")
    assert (service["metadata"]["name"], service["spec"]["ports"][0]["port"]) == ("pgbouncer", 6432)
