"""Images that are built from a folder of the project, whenever it has changed."""

from __future__ import annotations

import os
import posixpath
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from devinit.errors import ProviderError
from devinit.kinds.docker.engine import Engine, Refused, encode, quoted
from devinit.kinds.docker.images import NOT_FOUND, follow
from devinit.kinds.provider import Say
from devinit.model.names import ENVIRONMENT_FILE, OWN_FOLDER, PORTS_FILE
from devinit.system.digest import blake2b
from devinit.system.files import LARGEST_SETTINGS, read_text
from devinit.system.regular import open_regular

LABEL = "dev.devinit.build"
LAST_LINES = 12
"""Number of lines that are shown of a failed build."""
STEP = re.compile(r"Step [0-9]+/[0-9]+ : [^\n]*")
LONGEST = 80
CLASS = re.compile(r"\[(\^?)([^\[\]/\\]{1,100})\]")
"""Character classes, as in `*.py[cod]`."""
PIECE_BYTES = 1 << 20
MOST_STARS = 3
"""Limit for `*` in a part of a path, and for `**`: a pattern with many takes very long to match a long name."""


class Build(Struct, frozen=True, kw_only=True):
    """The inputs of a build."""

    context: Path
    dockerfile: str = "Dockerfile"
    """Relative to the context."""
    target: str = ""
    args: dict[str, str] = {}


def build_of(value: str | dict[str, Any], root: Path, service: str) -> Build:
    """Return the meaning of the key `build`.

    Raise ProviderError for files that are missing or outside of the project.
    """
    table: dict[str, Any] = {"context": value} if isinstance(value, str) else value
    inside, context = os.path.realpath(root), os.path.realpath(root / str(table.get("context", ".")))
    dockerfile = str(table.get("dockerfile", "Dockerfile"))
    path = os.path.realpath(Path(context, dockerfile))
    for name, each in (("context", context), ("dockerfile", path)):
        if each != inside and not each.startswith(f"{inside}{os.sep}"):
            raise ProviderError(
                f"{service}: build.{name} leads out of the project, to {each}",
                hint="an image is built from files of its project alone",
            )
    if not Path(path).is_file():
        raise ProviderError(
            f"{service}: there is no {dockerfile} in {context}",
            hint='build = { context = ".", dockerfile = "FILE" } says where it is',
        )
    return Build(
        context=Path(context),
        dockerfile=os.path.relpath(path, context),
        target=str(table.get("target", "")),
        args=dict(table.get("args", {})),
    )


def built(engine: Engine, name: str, build: Build, say: Say) -> None:
    """Build an image unless its inputs are unchanged. Raise ProviderError."""
    files = list(files_of(build))
    wanted = digest_of(build, files)
    if label_of(engine, name) == wanted:
        return
    if build.dockerfile.startswith(".."):
        raise ProviderError(
            f"the Dockerfile {build.dockerfile} is not in its context {build.context}",
            hint="let `context` name a folder that has it",
        )
    size = sum(path.lstat().st_size for _, path in files if path.is_file())
    say(f"building image: sending {len(files)} files, {size // 10**6} MB")
    options = {
        "t": name,
        "dockerfile": build.dockerfile,
        "target": build.target,
        "buildargs": encode(build.args),
        "labels": encode({LABEL: wanted}),
        "rm": "1",
        "forcerm": "1",
    }
    query = "&".join(f"{key}={quoted(value)}" for key, value in options.items() if value)
    output = Steps(say)
    try:
        answer = engine.send(
            "POST", f"/build?{query}", data=archive(files), kind="application/x-tar", seconds=None
        )
    except OSError as error:
        raise ProviderError(
            f"the image of {build.dockerfile} cannot be built: {error}",
            hint="a .dockerignore leaves out what the image does not need",
        ) from error
    try:
        follow(answer, output)
    except Refused as refused:
        raise failed(build, refused, output) from refused
    finally:
        answer.close()


def failed(build: Build, refused: Refused, output: Steps) -> ProviderError:
    """Return the error for a failed build, with its last output."""
    words = refused.words
    if "buildkit" in words.lower() or "--mount" in words or "unknown flag" in words:
        return ProviderError(
            f"{build.dockerfile} needs BuildKit, which devinit does not speak: {words}",
            hint='build it with `docker build -t NAME .`, and write image = "NAME" with pull = "never"',
        )
    return ProviderError(
        f"the image of {build.dockerfile} cannot be built: {words}",
        hint="\n".join(output.lines[-LAST_LINES:]) or None,
    )


class Steps:
    """Receiver of a build's output: it shows the steps and keeps the last lines."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.lines: list[str] = []

    def __call__(self, line: dict[str, Any]) -> None:
        """Take a line from the engine."""
        text = str(line.get("stream") or "")
        self.lines = [*self.lines, *filter(None, map(str.rstrip, text.splitlines()))][-LAST_LINES:]
        if (step := STEP.match(text)) is not None:
            self._say(f"building image: {step[0][:LONGEST]}")


def label_of(engine: Engine, name: str) -> str:
    """Return the digest of the inputs of an image; "" for a missing image. Raise EngineAway, Refused."""
    try:
        config = engine.ask("GET", f"/images/{quoted(name)}/json").get("Config") or {}
    except Refused as refused:
        if refused.status == NOT_FOUND:
            return ""
        raise
    return str((config.get("Labels") or {}).get(LABEL, ""))


def digest_of(build: Build, files: list[tuple[str, Path]]) -> str:
    """Return a digest of all inputs of an image. A file counts by its size and the time of its last change."""
    digest = blake2b(digest_size=16)
    digest.update(repr((build.dockerfile, build.target, sorted(build.args.items()))).encode())
    for name, path in files:
        found = path.lstat()
        digest.update(
            f"{name}\0{found.st_mode}\0{found.st_size}\0{found.st_mtime_ns}\0".encode(errors="replace")
        )
    return digest.hexdigest()


def files_of(build: Build) -> Iterator[tuple[str, Path]]:
    """Yield files and folders of the context in order, but none that .dockerignore excludes or devinit writes.

    The files that devinit writes hold secrets (`.env.runtime`), and change with each port that moves.
    """
    rules = rules_of(
        read_text(build.context / f"{build.dockerfile}.dockerignore", most=LARGEST_SETTINGS)
        or read_text(build.context / ".dockerignore", most=LARGEST_SETTINGS)
        or ""
    )
    comes_back = any(keeps for _, keeps in rules)
    for folder, folders, names in os.walk(build.context):
        below = os.path.relpath(folder, build.context)
        prefix = "" if below == "." else f"{below}/"
        for name in sorted(folders):
            if name == OWN_FOLDER:
                folders.remove(name)
            elif is_left_out(f"{prefix}{name}", rules):
                # A later rule may include something in this folder again.
                if not comes_back:
                    folders.remove(name)
            else:
                yield f"{prefix}{name}", Path(folder, name)
        folders.sort()
        for name in sorted(names):
            path = f"{prefix}{name}"
            if is_own(name):
                continue
            if path == build.dockerfile or not is_left_out(path, rules):
                yield path, Path(folder, name)


def rules_of(text: str) -> list[tuple[re.Pattern[str], bool]]:
    """Return the patterns of a .dockerignore, each with whether it includes files again."""
    rules = []
    for raw in text.splitlines():
        line = raw.strip()
        if line and not line.startswith("#"):
            keeps = line.startswith("!")
            if max(part.count("*") for part in line.split("/")) > MOST_STARS or line.count("**") > MOST_STARS:
                raise ProviderError(
                    f".dockerignore: {line[:LONGEST]} has too many wildcards", hint="use fewer"
                )
            expression = expression_of(posixpath.normpath(line.removeprefix("!").strip().strip("/")))
            try:
                rules.append((re.compile(expression), keeps))
            except re.error as error:
                raise ProviderError(
                    f".dockerignore: {line[:LONGEST]} is no pattern: {error}", hint="correct it"
                ) from error
    return rules


def expression_of(pattern: str) -> str:
    """Return a .dockerignore pattern as a regular expression, which also matches everything below. Pure."""
    found, position = "", 0
    while position < len(pattern):
        if pattern.startswith("**/", position):
            found, position = f"{found}(?:[^/]+/)*", position + 3
        elif pattern.startswith("**", position):
            found, position = f"{found}.*", position + 2
        elif (characters := CLASS.match(pattern, position)) is not None:
            found, position = f"{found}[{characters[1]}{escaped(characters[2])}]", characters.end()
        else:
            one = pattern[position]
            if one == "\\" and position + 1 < len(pattern):
                position += 1
                found += re.escape(pattern[position])
            else:
                found += {"*": "[^/]*", "?": "[^/]"}.get(one, re.escape(one))
            position += 1
    return rf"{found}(?:/.*)?\Z"


def escaped(characters: str) -> str:
    """Return the content of a character class in which only ranges have a meaning. Pure."""
    return "".join(each if each == "-" else re.escape(each) for each in characters)


def is_own(name: str) -> bool:
    """Return whether devinit writes a file of this name into projects. Pure."""
    return name in (ENVIRONMENT_FILE, PORTS_FILE) or (name.startswith(".") and name.endswith("-port.json"))


def is_left_out(path: str, rules: list[tuple[re.Pattern[str], bool]]) -> bool:
    """Return whether a path is excluded: the last rule that matches it decides."""
    left = False
    for pattern, keeps in rules:
        if pattern.match(path):
            left = not keeps
    return left


def archive(files: list[tuple[str, Path]]) -> Iterator[bytes]:
    """Yield an archive of files in parts; no file is held in memory as a whole."""
    parts = Parts()
    with tarfile.open(mode="w", fileobj=parts, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for name, path in files:
            if not (path.is_file() or path.is_dir() or path.is_symlink()):
                continue  # a socket or a pipe, which no image contains
            header = tar.gettarinfo(str(path), name)
            header.uid = header.gid = 0
            header.uname = header.gname = ""
            if header.isreg() and header.size:
                yield from parts.taken()
                yield from entry(header, path)
            else:
                tar.addfile(header)
            yield from parts.taken()
    yield from parts.taken()


def entry(header: tarfile.TarInfo, path: Path) -> Iterator[bytes]:
    """Yield a file as it appears in an archive, in parts. Raise OSError if it became shorter."""
    yield header.tobuf(tarfile.PAX_FORMAT)
    left = header.size
    with os.fdopen(open_regular(path), "rb") as content:
        while left:
            piece = content.read(min(left, PIECE_BYTES))
            if not piece:
                raise OSError(f"{header.name} became shorter while it was read")
            left -= len(piece)
            yield piece
    yield bytes(-header.size % tarfile.BLOCKSIZE)


class Parts:
    """The file object to which `tarfile` writes."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep a part."""
        self._written.append(bytes(data))
        return len(data)

    def tell(self) -> int:
        """Return where the archive begins."""
        return 0

    def taken(self) -> Iterator[bytes]:
        """Yield the parts written since the last call."""
        written, self._written = self._written, []
        yield from (part for part in written if part)
