"""Images of containers: their metadata, and how to fetch them, with progress in lines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from devinit.errors import ProviderError
from devinit.kinds.docker.engine import Engine, Refused, Response, decode, quoted, words_of
from devinit.kinds.provider import Say

NOT_FOUND = 404
SAY_SECONDS = 0.5
"""Seconds between two progress reports."""
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i386": "386", "i686": "386"}


class Image(Struct, frozen=True, kw_only=True):
    """The properties of an image that affect its container."""

    id: str
    exposed: tuple[int, ...] = ()
    """The TCP ports that it exposes."""
    entrypoint: tuple[str, ...] = ()
    architecture: str = ""
    has_healthcheck: bool = False
    volumes: tuple[str, ...] = ()
    """The folders that it declares as volumes: data written there ends with its container."""


def image_of(engine: Engine, name: str) -> Image | None:
    """Return the properties of an image; None when it is missing. Raise EngineAway, Refused."""
    try:
        found = engine.ask("GET", f"/images/{quoted(name)}/json")
    except Refused as refused:
        if refused.status == NOT_FOUND:
            return None
        raise
    config = found.get("Config") or {}
    ports = (each.partition("/") for each in config.get("ExposedPorts") or {})
    test = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    return Image(
        id=found["Id"],
        exposed=tuple(sorted(int(port) for port, _, protocol in ports if protocol in ("", "tcp"))),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        architecture=found.get("Architecture") or "",
        has_healthcheck=test[0] != "NONE",
        volumes=tuple(sorted(config.get("Volumes") or {})),
    )


def architecture_of(engine: Engine) -> str:
    """Return the architecture for which the engine runs images: `amd64`."""
    found: str = engine.ask("GET", "/version").get("Arch", "")
    return ARCHITECTURES.get(found, found)


def pull(engine: Engine, name: str, platform: str | None, say: Say) -> None:
    """Fetch an image, and report progress. Raise ProviderError."""
    repository, tag = split(name)
    where = f"&platform={quoted(platform)}" if platform else ""
    wanted = f"fromImage={quoted(repository)}&tag={quoted(tag)}{where}"
    say(f"fetching image {name}")
    answer = engine.send("POST", f"/images/create?{wanted}", seconds=None)
    try:
        follow(answer, Layers(f"fetching image {name}", say))
    except Refused as refused:
        raise not_fetched(name, refused) from refused
    finally:
        answer.close()


def not_fetched(name: str, refused: Refused) -> ProviderError:
    """Return the error for an image that could not be fetched, in one sentence."""
    words = refused.words
    lower = words.lower()
    if any(sign in lower for sign in ("dial tcp", "lookup ", "no such host", "timeout", "network is")):
        return ProviderError(
            f"image {name} is not on this machine, and its registry cannot be reached",
            hint=f"go online once (`docker pull {name}`), or bring it from another machine with `docker save` and "
            "`docker load`",
        )
    if "no space left" in lower:
        return ProviderError(
            f"image {name} does not fit on the disk of the container engine",
            hint="`docker system df` shows what is there; `docker image prune` removes what no container uses",
        )
    if "not found" in lower or "manifest unknown" in lower or "does not exist" in lower:
        return ProviderError(
            f"image {name} is neither on this machine nor in its registry: {words}",
            hint=f"correct `image`; for a private one, log in first: `docker login`, `docker pull {name}`",
        )
    return ProviderError(f"image {name} cannot be fetched: {words}", hint=f"try `docker pull {name}`")


class Layers:
    """The download progress of an image's layers, as one line."""

    def __init__(self, title: str, say: Say) -> None:
        self._title, self._say = title, say
        self._layers: dict[str, tuple[int, int]] = {}
        self._done: set[str] = set()
        self._told = 0.0

    def __call__(self, line: dict[str, Any]) -> None:
        """Take a line from the engine, and report the progress."""
        layer, status = line.get("id"), line.get("status") or ""
        progress = line.get("progressDetail") or {}
        if isinstance(layer, str) and (
            progress.get("total") or status in ("Pull complete", "Already exists")
        ):
            if status == "Downloading":
                self._layers[layer] = int(progress.get("current") or 0), int(progress["total"])
            elif status in ("Pull complete", "Already exists"):
                self._done.add(layer)
        now = time.monotonic()
        if self._layers and now - self._told >= SAY_SECONDS:
            self._told = now
            self._say(self.text())

    def text(self) -> str:
        """Return the progress in words: `fetching image postgres:16: 3 of 14 layers, 41 of 150 MB`."""
        known = {*self._layers, *self._done}
        current = sum(total if name in self._done else now for name, (now, total) in self._layers.items())
        total = sum(total for _, total in self._layers.values())
        layers = f"{len(self._done)} of {len(known)} layers"
        return f"{self._title}: {layers}, {current // 10**6} of {total // 10**6} MB"


def follow(answer: Response, take: Any) -> None:
    """Pass each line of a long operation to `take`. Raise Refused for an error at the beginning or in between."""
    if answer.head() >= 400:  # noqa: PLR2004  HTTP errors begin here
        raise Refused(answer.status, words_of(b"".join(answer.parts())))
    for line in lines_of(answer):
        if "error" in line:
            raise Refused(answer.status, str(line["error"]).strip())
        take(line)


def lines_of(answer: Response) -> Iterator[dict[str, Any]]:
    """Yield the lines of an answer, each of which is JSON."""
    rest = b""
    for part in answer.parts():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            if line.strip():
                yield decode(line)
    if rest.strip():
        yield decode(rest)


def split(name: str) -> tuple[str, str]:
    """Return repository and tag, or digest, of an image's name; without a tag, it is `latest`."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return repository, digest
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")
