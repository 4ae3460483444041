"""Export manifests for Kubernetes, with a kustomization.

Images are named after project and service. Passwords come from a Secret, which kustomize generates from a file
that is not part of the export.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from devinit.exporters.exporter import Export, Exporter, File
from devinit.exporters.yaml import Node, rendered
from devinit.model.names import within_service
from devinit.model.resolved import (
    Command,
    ContainerImage,
    Reader,
    Resolved,
    ResolvedPort,
    ResolvedService,
    Role,
    Value,
)

FOLDER = "kubernetes/"
SECRETS_FILE = "secrets.env"
LONGEST_NAME = 52
"""In characters. Kubernetes allows 63, and adds suffixes."""
LONGEST_PORT_NAME = 15
STORAGE = "1Gi"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_REFERS = re.compile(r"\$+(?=\(|\Z)|\${2,}")
"""Matches what Kubernetes expands: `$(NAME)` is a variable, `$$` one `$`. A reference may follow at the end."""
INGRESS, KUSTOMIZATION = "ingress.yaml", "kustomization.yaml"


def render(resolved: Resolved) -> Export:
    """Return a file for each service, and the kustomization."""
    services = [each for each in resolved.services if each.command is not None or each.image is not None]
    cluster = _Cluster(resolved, services)
    manifests = {_file_of(cluster.name_of(each)): cluster.manifests_of(each) for each in services}
    front = [each for each in services if each.role is Role.FRONTEND and each.port is not None]
    if front:
        manifests[INGRESS] = [cluster.ingress(front[0])]
    files = [File(path=KUSTOMIZATION, text=rendered(cluster.kustomization(manifests)))]
    files += [
        File(path=path, text="---\n".join(rendered(each) for each in documents))
        for path, documents in manifests.items()
    ]
    return Export(files=tuple(files), notes=tuple(cluster.notes()))


class _Cluster:
    """The Kubernetes objects of one project."""

    def __init__(self, resolved: Resolved, services: Iterable[ResolvedService]) -> None:
        self._resolved = resolved
        self._project = dns_name(resolved.project)
        self._names = {each.name: dns_name(each.name) for each in services}
        self._secret = f"{self._project}-secrets"
        odd = [re.escape(name) for name, other in self._names.items() if name != other]
        self._hosts = re.compile(rf"(?<![\w.-])({'|'.join(odd)})(?=[:/]|$)") if odd else None
        self.variables: set[str] = set()
        """Variables that the Secret must have."""

    def name_of(self, service: ResolvedService) -> str:
        """Return the name of the objects of a service."""
        return self._names[service.name]

    def notes(self) -> list[str]:
        """Return the messages to the user."""
        notes = [
            f"images are expected as {self._project}-SERVICE:latest, where the cluster can get them",
            "addresses of browsers stay http://localhost:PORT: `kubectl port-forward` serves them, or change them",
            "the Ingress has no class: the cluster's default one takes it",
        ]
        if self.variables:
            names = ", ".join(sorted(self.variables))
            notes.insert(
                0, f"not written, being secret: put {names} into {SECRETS_FILE}, a line NAME=VALUE each"
            )
        return notes

    def kustomization(self, manifests: Mapping[str, object]) -> dict[str, Node]:
        """Return the kustomization that `kubectl apply -k` reads."""
        found: dict[str, Node] = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": list(manifests),
        }
        if self.variables:
            found["secretGenerator"] = [
                {
                    "name": self._secret,
                    "envs": [SECRETS_FILE],
                    "options": {"disableNameSuffixHash": True},
                }
            ]
        return found

    def manifests_of(self, service: ResolvedService) -> list[dict[str, Node]]:
        """Return the objects of a service: its workload and its address."""
        if service.image is not None:
            found = [self._stateful_set(service, service.image), *self._service(service)]
            return [*found, self._provision(service, service.image)] if service.image.provision else found
        if service.role is Role.JOB:
            return [self._job(service)]
        return [self._deployment(service), *self._service(service)]

    def ingress(self, service: ResolvedService) -> dict[str, Node]:
        """Return the Ingress, by which browsers outside the cluster reach a service."""
        assert service.port is not None  # noqa: S101 - the caller passes frontends with a port
        backend: Node = {"service": {"name": self.name_of(service), "port": {"number": service.port.number}}}
        path: Node = {"path": "/", "pathType": "Prefix", "backend": backend}
        return {
            **self._head("networking.k8s.io/v1", "Ingress", service),
            "spec": {"rules": [{"http": {"paths": [path]}}]},
        }

    def _head(self, version: str, kind: str, service: ResolvedService) -> dict[str, Node]:
        metadata: Node = {"name": self.name_of(service), "labels": self._labels(service)}
        return {"apiVersion": version, "kind": kind, "metadata": metadata}

    def _labels(self, service: ResolvedService) -> dict[str, Node]:
        return {
            "app.kubernetes.io/name": self.name_of(service),
            "app.kubernetes.io/part-of": self._project,
        }

    def _service(self, service: ResolvedService) -> list[dict[str, Node]]:
        ports: list[Node] = [
            {"name": name, "port": number, "targetPort": number} for name, number in _ports(service)
        ]
        if not ports:
            return []
        spec: Node = {"selector": self._labels(service), "ports": ports}
        return [{**self._head("v1", "Service", service), "spec": spec}]

    def _stateful_set(self, service: ResolvedService, image: ContainerImage) -> dict[str, Node]:
        container: dict[str, Node] = {"name": self.name_of(service), "image": image.name}
        if image.entrypoint:
            container["command"] = list(image.entrypoint)
        if image.command:
            container["args"] = [self._written(each) for each in image.command]
        container |= self._given(image.environment, image.command)
        if image.port:
            container["ports"] = [{"containerPort": image.port}]
        if image.health:
            probe = {"exec": {"command": ["sh", "-c", image.health]}}
            container["readinessProbe"] = {**probe, "periodSeconds": 5, "timeoutSeconds": 5}
        spec: dict[str, Node] = {
            "serviceName": self.name_of(service),
            "replicas": 1,
            "selector": {"matchLabels": self._labels(service)},
        }
        if image.data:
            container["volumeMounts"] = [{"name": "data", "mountPath": image.data}]
        spec["template"] = self._template(service, container)
        if image.data:
            claim: Node = {
                "metadata": {"name": "data"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": STORAGE}},
                },
            }
            spec["volumeClaimTemplates"] = [claim]
        return {**self._head("apps/v1", "StatefulSet", service), "spec": spec}

    def _provision(self, service: ResolvedService, image: ContainerImage) -> dict[str, Node]:
        """Return a job that is retried until the server answers."""
        name = f"{self.name_of(service)}-databases"
        line = " && ".join(f"({self._written(each)})" for each in image.provision)
        container: dict[str, Node] = {"name": name, "image": image.name, "command": ["sh", "-c", line]}
        container |= self._given(image.provision_environment, image.provision)
        template: Node = {
            "spec": {"enableServiceLinks": False, "restartPolicy": "OnFailure", "containers": [container]}
        }
        metadata: Node = {"name": name, "labels": {"app.kubernetes.io/part-of": self._project}}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}

    def _deployment(self, service: ResolvedService) -> dict[str, Node]:
        container = self._container(service, service.command)
        if ports := _ports(service):
            container["ports"] = [{"name": name, "containerPort": number} for name, number in ports]
        container |= _probes(service)
        before = [
            {**self._container(service, each), "name": f"before-start-{number}"}
            for number, each in enumerate(service.before_start, start=1)
        ]
        spec: dict[str, Node] = {
            "replicas": 1 if service.autostart else 0,
            "selector": {"matchLabels": self._labels(service)},
            "template": self._template(service, container, before),
        }
        return {**self._head("apps/v1", "Deployment", service), "spec": spec}

    def _job(self, service: ResolvedService) -> dict[str, Node]:
        template = self._template(service, self._container(service, service.command), restart="OnFailure")
        return {**self._head("batch/v1", "Job", service), "spec": {"template": template}}

    def _template(
        self,
        service: ResolvedService,
        container: dict[str, Node],
        before: list[dict[str, Node]] | None = None,
        *,
        restart: str | None = None,
    ) -> dict[str, Node]:
        # Otherwise the kubelet sets BACKEND_PORT=tcp://10.0.0.7:8000, over the port of the service.
        spec: dict[str, Node] = {"enableServiceLinks": False}
        if restart is not None:
            spec["restartPolicy"] = restart
        if service.grace_seconds is not None:
            spec["terminationGracePeriodSeconds"] = max(1, round(service.grace_seconds))
        if before:
            spec["initContainers"] = before
        spec["containers"] = [container]
        return {"metadata": {"labels": self._labels(service)}, "spec": spec}

    def _container(self, service: ResolvedService, command: Command | None) -> dict[str, Node]:
        found: dict[str, Node] = {
            "name": self.name_of(service),
            "image": f"{self._project}-{self.name_of(service)}:latest",
            "imagePullPolicy": "IfNotPresent",
        }
        words = command.words if command is not None else ()
        if service.dockerfile is None or command is not service.command:
            found["command"] = [self._written(each) for each in words]
        return found | self._given(service.environment, words)

    def _given(self, environment: Mapping[str, Value], words: Iterable[Value]) -> dict[str, Node]:
        """Return the variables of a container, those of the Secret first, so that the others can refer to them."""
        named = {name for value in (*environment.values(), *words) for name in value.variables}
        self.variables |= named
        entries: list[Node] = [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": self._secret, "key": name}}}
            for name in sorted(named)
        ]
        entries += [
            {"name": name, "value": self._written(value)}
            for name, value in environment.items()
            if value.variables != (name,)
        ]
        return {"env": entries} if entries else {}

    def _written(self, value: Value) -> str:
        def literal(text: str) -> str:
            text = _REFERS.sub(lambda found: 2 * found[0], text)
            return text if self._hosts is None else self._hosts.sub(lambda found: self._names[found[1]], text)

        return value.written(lambda name: f"$({name})", literal)


def _file_of(name: str) -> str:
    """Return the file of a service, whose name may clash with one of the fixed files."""
    file = f"{name}.yaml"
    return f"{name}-service.yaml" if file in (INGRESS, KUSTOMIZATION) else file


def _ports(service: ResolvedService) -> list[tuple[str, int]]:
    """Return the ports of a service with unique names of at most 15 characters."""
    found: list[tuple[str, int]] = []
    ports: tuple[ResolvedPort | None, ...] = (service.port, *service.extra_ports)
    for number, port in enumerate(ports):
        if port is not None:
            name = (
                "main" if number == 0 else dns_name(within_service(port.name))[:LONGEST_PORT_NAME].strip("-")
            )
            taken = {each for each, _ in found}
            found.append((name if name not in taken else f"port-{number}", port.number))
    return found


def _probes(service: ResolvedService) -> dict[str, Node]:
    """Return the probes of a program; the startup probe leaves slow programs enough time."""
    ready, port = service.ready, service.port
    probe: dict[str, Node]
    if ready.exec is not None:
        probe = {"exec": {"command": ["sh", "-c", ready.exec]}}
    elif port is None:
        return {}
    elif ready.http is not None:
        path = ready.http if ready.http.startswith("/") else f"/{ready.http}"
        scheme = "HTTPS" if (port.url or "").startswith("https:") else "HTTP"
        probe = {"httpGet": {"path": path, "port": port.number, "scheme": scheme}}
    else:
        probe = {"tcpSocket": {"port": port.number}}
    failures = max(3, round(ready.timeout_seconds / 5))
    return {
        "startupProbe": {**probe, "periodSeconds": 5, "failureThreshold": failures},
        "readinessProbe": {**probe, "periodSeconds": 5, "timeoutSeconds": 5},
    }


def dns_name(text: str) -> str:
    """Return a valid name for Kubernetes: lower-case letters, digits and hyphens, beginning with a letter."""
    name = _NOT_IN_NAMES.sub("-", text.lower()).strip("-")[:LONGEST_NAME].strip("-")
    return name if name[:1].isalpha() else f"s-{name}".strip("-")


EXPORTER = Exporter(name="kubernetes", reader=Reader.CONTAINER, path=FOLDER, render=render)
