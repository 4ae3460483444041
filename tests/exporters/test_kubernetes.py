"""Specifies the manifests for Kubernetes: what schemas check, and what they miss."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
import yaml

from devinit.exporters.exporter import Export
from tests.exporters.conftest import Exported
from tests.resolving.conftest import SHOP

EVERYTHING = SHOP.replace('user = "shop"', 'user = "shop"\ndatabases = ["shop_test"]') + (
    '[services.cache]\nprovider = "redis"\npassword = "random"\n'
    '[services.migrate]\ncommand = "alembic upgrade head"\n'
    '[services.admin_api]\ncommand = "node admin.js"\nport = 9100\n'
    'depends_on = { migrate = "completed" }\nextra_ports = { "a_very_long_name_of_a_port" = 9101 }\n'
    '[services.beat]\ncommand = "celery beat"\n'
    "[services.odd]\ncommand = 'echo $(date) | cat'\nenv = { YES = 'y', COST = '$(X)' }\n"
)


def objects(export: Export) -> list[dict[str, Any]]:
    """Return all objects. Any: other people's format."""
    return [
        each
        for file in export.files
        if file.path != "kustomization.yaml"
        for each in yaml.safe_load_all(file.text)
    ]


def templates(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the templates of pods."""
    return (each["spec"]["template"] for each in found if "template" in each.get("spec", {}))


def named(found: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(each for each in found if (each["kind"], each["metadata"]["name"]) == (kind, name))


class TestAnObject:
    def test_is_of_the_kind_that_its_service_needs(self, exported: Exported) -> None:
        found = {
            (each["kind"], each["metadata"]["name"]) for each in objects(exported("kubernetes", EVERYTHING))
        }

        assert {name for kind, name in found if kind == "StatefulSet"} == {"postgres", "cache"}
        assert {name for kind, name in found if kind == "Job"} == {"migrate", "postgres-databases"}
        assert ("Deployment", "admin-api") in found
        assert ("Service", "beat") not in found
        assert ("Ingress", "frontend") in found

    def test_selects_what_it_labels(self, exported: Exported) -> None:
        found = objects(exported("kubernetes", EVERYTHING))

        for each in found:
            if each["kind"] in ("Deployment", "StatefulSet"):
                labels = each["spec"]["template"]["metadata"]["labels"]
                assert each["spec"]["selector"]["matchLabels"] == labels
            if each["kind"] == "Service":
                assert each["spec"]["selector"] in [
                    one["metadata"].get("labels") for one in templates(found) if "metadata" in one
                ]

    def test_has_names_that_kubernetes_takes(self, exported: Exported) -> None:
        found = objects(exported("kubernetes", EVERYTHING))

        for each in found:
            assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", each["metadata"]["name"])
        for each in found:
            ports = [port["name"] for port in each["spec"].get("ports", ())]
            assert len({*ports}) == len(ports)
            assert all(len(name) <= 15 for name in ports)

    def test_gets_no_variables_of_other_services_from_the_kubelet(self, exported: Exported) -> None:
        for each in templates(objects(exported("kubernetes", EVERYTHING))):
            assert each["spec"]["enableServiceLinks"] is False

    def test_that_ends_says_what_follows(self, exported: Exported) -> None:
        for each in objects(exported("kubernetes", EVERYTHING)):
            if each["kind"] == "Job":
                assert each["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure"

    def test_has_texts_where_texts_are_meant(self, exported: Exported) -> None:
        for each in templates(objects(exported("kubernetes", EVERYTHING))):
            for container in each["spec"]["containers"]:
                values = [entry.get("value", "") for entry in container.get("env", ())]
                assert all(isinstance(value, str) for value in values)


class TestValues:
    def test_refer_to_the_secret_that_stands_before_them(self, exported: Exported) -> None:
        export = exported("kubernetes")
        backend = named(objects(export), "Deployment", "backend")

        entries = backend["spec"]["template"]["spec"]["containers"][0]["env"]
        assert entries[0] == {
            "name": "POSTGRES_PASSWORD",
            "valueFrom": {"secretKeyRef": {"name": "shop-secrets", "key": "POSTGRES_PASSWORD"}},
        }
        values = {each["name"]: each.get("value") for each in entries[1:]}
        assert values["DATABASE_URL"] == "postgresql://shop:$(POSTGRES_PASSWORD)@postgres:5432/shop"
        kustomization = yaml.safe_load(export.files[0].text)
        assert kustomization["secretGenerator"][0]["envs"] == ["secrets.env"]

    def test_name_services_as_the_cluster_does(self, exported: Exported) -> None:
        found = objects(exported("kubernetes", EVERYTHING))

        entries = named(found, "Deployment", "backend")["spec"]["template"]["spec"]["containers"][0]["env"]
        values = {each["name"]: each.get("value") for each in entries}
        assert values["ADMIN_API_HOST"] == "admin-api"
        assert values["ADMIN_API_URL"] == "http://admin-api:9100"

    def test_stay_as_they_are(self, exported: Exported) -> None:
        odd = named(objects(exported("kubernetes", EVERYTHING)), "Deployment", "odd")

        [container] = odd["spec"]["template"]["spec"]["containers"]
        values = {each["name"]: each.get("value") for each in container["env"]}
        assert (values["YES"], values["COST"]) == ("y", "$$(X)")
        assert container["command"] == ["sh", "-c", "echo $$(date) | cat"]

    def test_keep_every_dollar(self, exported: Exported) -> None:
        text = (
            SHOP
            + '[services.odd]\ncommand = "x"\nenv = { A = "$$$$2a", B = "$$$$(X)", C = "c$$${NONE}", D = "a$$b" }\n'
        )
        odd = named(objects(exported("kubernetes", text)), "Deployment", "odd")

        [container] = odd["spec"]["template"]["spec"]["containers"]
        values = {each["name"]: each.get("value") for each in container["env"]}
        # As the kubelet reads them: `$$` is one `$`.
        assert [values[each] for each in "ABCD"] == ["$$$$2a", "$$$$(X)", "c$$$(NONE)", "a$b"]

    def test_of_a_service_that_is_called_like_a_file_of_ours_are_there(self, exported: Exported) -> None:
        export = exported("kubernetes", SHOP + '[services.ingress]\ncommand = "nginx"\n')

        kinds = {each["kind"]: each["metadata"]["name"] for each in objects(export) if "metadata" in each}
        assert {"Ingress", "Deployment"} <= kinds.keys()
        assert named(objects(export), "Deployment", "ingress")


@pytest.mark.skipif(find_spec("kubernetes_validate") is None, reason="kubernetes-validate is not installed")
def test_the_published_schemas_take_it(exported: Exported) -> None:
    import kubernetes_validate  # type: ignore[import-not-found,unused-ignore]  # where it is installed

    for each in objects(exported("kubernetes", EVERYTHING)):
        for version in (kubernetes_validate.latest_version(),):
            kubernetes_validate.validate(each, version, strict=True)
