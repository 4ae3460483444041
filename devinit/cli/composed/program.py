"""The engine's own compose: the plugin of the program `docker`, else `docker-compose`."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from devinit.errors import CommandNotFound, ProviderError

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.cli.composed.words import Spoken
    from devinit.exporters.yaml import Node

PLUGIN, ALONE = ("docker", "compose"), ("docker-compose",)
SECONDS = 20.0


class Compose(msgspec.Struct, frozen=True):
    """An installed compose program."""

    words: tuple[str, ...]
    generation: int
    """1: the Python version, which prints only YAML. 2: all later versions, whatever their number."""


def compose_there(environ: Mapping[str, str]) -> Compose:
    """Return the compose program of this machine. Raise CommandNotFound if there is none."""
    for words in (PLUGIN, ALONE):
        printed = _printed([*words, "version", "--short"], environ)
        if printed:
            first = printed.removeprefix("v").partition(".")[0]
            return Compose(words, 1 if first == "1" else 2)
    raise CommandNotFound(
        "there is no compose: neither the plugin of `docker` nor `docker-compose`",
        hint="install the package docker-compose-plugin, docker-compose-v2 or docker-compose",
    )


def resolved_by(
    compose: Compose, spoken: Spoken, more: Sequence[str], environ: Mapping[str, str], folder: Path
) -> dict[str, Node] | int:
    """Return the file as compose resolves it, with every service; or the exit code if compose rejects the file."""
    words = [*compose.words, *more, *spoken.without("--profile")]
    words += ["config"] if compose.generation == 1 else ["--profile", "*", "config", "--format", "json"]
    done = subprocess.run(words, env={**environ}, cwd=folder, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        return done.returncode if done.returncode > 0 else 1  # compose has printed the error itself
    try:
        model = _of_yaml(done.stdout) if compose.generation == 1 else msgspec.json.decode(done.stdout)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        model = None
    if not isinstance(model, dict):
        raise ProviderError(f"`{' '.join(words)}` prints something else than the file")
    return model


def _of_yaml(text: bytes) -> object:
    import yaml  # needed only for the oldest compose

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _printed(words: Sequence[str], environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            words,
            env={**environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
