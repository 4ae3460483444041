"""The real readers of .env.runtime: each takes the file's text, and returns the variables that it read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import dotenv
import pytest

from tests.network import on_the_network

Reader: TypeAlias = Callable[[str, Collection[str]], Mapping[str, str | None]]
"""Takes the text and the requested names."""

NODE = Path(__file__).parent / "node"


class Node:
    """A Node process that reads with the npm package and with Node's own parser."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", "read.js"],
            cwd=NODE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def read(self, text: str) -> dict[str, dict[str, str] | None]:
        assert self._process.stdin
        assert self._process.stdout
        # Escaped to ASCII, so that other line ends of Unicode do not split the line.
        self._process.stdin.write(json.dumps({"text": text}) + "\n")
        self._process.stdin.flush()
        values: dict[str, dict[str, str] | None] = json.loads(self._process.stdout.readline())
        return values

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    if not shutil.which("node"):
        pytest.skip("Node is not installed")
    if not (NODE / "node_modules" / "dotenv").is_dir():
        _install()
    process = Node()
    yield process
    process.close()


@pytest.fixture(
    scope="session", params=["dash", "bash", "bash in UTF-8", "python-dotenv", "npm dotenv", "util.parseEnv"]
)
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    path = tmp_path_factory.mktemp("reader") / ".env.runtime"
    match request.param:
        case "dash" | "bash":
            return _shell(request.param, path, locale="C")
        case "bash in UTF-8":
            return _shell("bash", path, locale="C.UTF-8")
        case "python-dotenv":
            return _python_dotenv(path)
        case "npm dotenv":
            return _node(request.getfixturevalue("node"), "dotenv")
        case _:
            return _node(request.getfixturevalue("node"), "builtin")


def _shell(program: str, path: Path, *, locale: str) -> Reader:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    environ = {"PATH": os.environ["PATH"], "LC_ALL": locale}

    def read(text: str, names: Collection[str]) -> dict[str, str | None]:
        path.write_text(text, encoding="utf-8", newline="")
        printed = "".join(f"printf '%s\\0' \"${name}\";" for name in names)
        script = f"set -aeu; . {path}; {printed}"
        done = subprocess.run([program, "-c", script], env=environ, capture_output=True, check=True)
        assert done.stderr == b""
        return dict(zip(names, done.stdout.decode().split("\0"), strict=False))

    return read


def _python_dotenv(path: Path) -> Reader:
    def read(text: str, names: Collection[str]) -> dict[str, str | None]:
        path.write_text(text, encoding="utf-8", newline="")
        return dotenv.dotenv_values(path)

    return read


def _node(node: Node, parser: str) -> Reader:
    def read(text: str, names: Collection[str]) -> Mapping[str, str | None]:
        values = node.read(text)[parser]
        if values is None:
            pytest.skip("this Node has no util.parseEnv")
        return values

    return read


def _install() -> None:
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    command = on_the_network("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
    done = subprocess.run(command, cwd=NODE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm could not install dotenv: {done.stderr.strip()[-300:]}")
