"""The native role of each compose service: a data service, an application, or nothing that is started."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path, PurePosixPath

from msgspec import Struct

from devinit.sources.compose.definition import Definition
from devinit.sources.compose.dockerfile import Stage, stage_of
from devinit.sources.compose.images import Image, image_of
from devinit.sources.files import read
from devinit.system.bounds import Bounds

_CODE = ("package.json", "pyproject.toml", "requirements.txt")
"""Files that mark an application; each has at least one."""
_PROJECTS = (
    *_CODE, "Pipfile", "go.mod", "Cargo.toml", "Gemfile", "composer.json", "pom.xml", "build.gradle",
    "build.gradle.kts", "mix.exs", "deno.json",
)  # fmt: skip
"""The same in any language: where a Dockerfile lies beside one, it is for that application."""


_SERVES = re.compile(r"(?<![\w-])(?:(?:redis|valkey|keydb|redis-stack)-server|postgres|dragonfly)(?![\w-])")
"""The program in the command of a server. A command may also consist of options alone."""


class Role(Enum):
    """The native role of a compose service."""

    DATA = "data"
    """A server that devinit runs itself."""
    APPLICATION = "application"
    """A program from the repository's code."""
    MISSING = "missing"
    """A server that others need and devinit does not run."""
    CLIENT = "client"
    """Another program from a server's image, such as psql."""
    NEEDLESS = "needless"
    """A web server in front of the others, or a tool to inspect them."""


class Member(Struct, frozen=True, kw_only=True):
    """A compose service with its role and its place in the repository."""

    definition: Definition
    role: Role
    image: Image
    stage: Stage | None = None
    """The stage of its Dockerfile."""
    stage_file: str = ""
    """The Dockerfile, relative to the project's folder."""
    folders: tuple[tuple[PurePosixPath, Path], ...] = ()
    """Folders of its container with their folders in the repository, the longest first."""
    files: tuple[tuple[PurePosixPath, Path], ...] = ()
    """The same for single files that are copied into it."""
    directory: Path
    """The folder with its code."""

    @property
    def name(self) -> str:
        """Its name in the compose file."""
        return self.definition.name

    @property
    def serves_files(self) -> bool:
        """Whether its image only serves a build, so that its port is that of a web server."""
        return self.stage is not None and image_of(self.stage.image).is_proxy


def member(definition: Definition, bounds: Bounds) -> Member:
    """Return a service with its role."""
    stage, file = _stage(definition, bounds)
    image = image_of(stage.image if stage is not None and definition.build else definition.image)
    folders = tuple(_folders(definition, stage, bounds))
    return Member(
        definition=definition,
        role=_role(definition, image, folders),
        image=image,
        stage=stage,
        stage_file=file,
        folders=folders,
        files=tuple(_files(definition, stage, bounds)),
        directory=_directory(definition, stage, folders, bounds),
    )


def _stage(definition: Definition, bounds: Bounds) -> tuple[Stage | None, str]:
    build = definition.build
    if build is None or not build.dockerfile.is_relative_to(bounds.root):
        return None, ""
    stage = stage_of(read(build.dockerfile, bounds), build.target)
    return stage, str(build.dockerfile.relative_to(bounds.root))


def _role(definition: Definition, image: Image, folders: tuple[tuple[PurePosixPath, Path], ...]) -> Role:
    if image.kind:
        words = " ".join((*(definition.entrypoint or ()), *(definition.command or ())))
        return Role.DATA if not words or words.startswith("-") or _SERVES.search(words) else Role.CLIENT
    if image.is_tool:
        return Role.NEEDLESS
    if definition.build is not None:
        # A web server's image may contain the pages of a frontend, or just its own settings.
        has_code = any(_has_code(folder) for _, folder in folders) or _has_code(definition.build.context)
        return Role.NEEDLESS if image.is_proxy and not has_code else Role.APPLICATION
    if image.is_proxy:
        return Role.NEEDLESS
    is_mounted = bool(definition.working_dir or definition.command) and bool(folders)
    return Role.APPLICATION if is_mounted and not image.title else Role.MISSING


def _has_code(folder: Path) -> bool:
    # Path.is_file() raises for a path that is too long.
    return any(os.path.isfile(folder / name) for name in _CODE)  # noqa: PTH113


def _is_project(folder: Path) -> bool:
    names = (*_PROJECTS, f"{folder.name}.csproj")
    return any(os.path.isfile(folder / name) for name in names)  # noqa: PTH113 - as above


def _folders(
    definition: Definition, stage: Stage | None, bounds: Bounds
) -> Iterator[tuple[PurePosixPath, Path]]:
    """Yield the folders of the repository in a container; mounts take precedence over copies."""
    found: dict[PurePosixPath, Path] = {}
    work = PurePosixPath(definition.working_dir or (stage.folder if stage else "") or "/")
    for source, target in definition.mounts:
        found.setdefault(target, source)
    if definition.build is not None and stage is not None:
        for name, place in stage.copied:
            copied = Path(os.path.normpath(definition.build.context / name.lstrip("/").replace("\0", "")))
            found.setdefault(PurePosixPath(os.path.normpath(work / place)), copied)
    for target, source in sorted(found.items(), key=lambda each: -len(each[0].parts)):
        if _is_folder(source, bounds):
            yield target, source


def _files(
    definition: Definition, stage: Stage | None, bounds: Bounds
) -> Iterator[tuple[PurePosixPath, Path]]:
    """Yield single files of the repository that are copied into a container, usually an entrypoint."""
    if definition.build is None or stage is None:
        return
    for name, place in stage.copied:
        source = Path(os.path.normpath(definition.build.context / name.lstrip("/").replace("\0", "")))
        target = PurePosixPath(os.path.normpath(PurePosixPath(stage.folder or "/") / place))
        if source.is_relative_to(bounds.root) and os.path.isfile(source):  # noqa: PTH113 - as below
            is_folder = place.endswith(("/", "."))
            yield (target / source.name if is_folder else target), source


def _is_folder(path: Path, bounds: Bounds) -> bool:
    # Path.is_dir() raises for a path that is too long.
    return path.is_relative_to(bounds.root) and os.path.isdir(path) and bounds.holds(path)  # noqa: PTH112


def _directory(
    definition: Definition,
    stage: Stage | None,
    folders: tuple[tuple[PurePosixPath, Path], ...],
    bounds: Bounds,
) -> Path:
    """Return the working directory of a service in the repository."""
    work = PurePosixPath(definition.working_dir or (stage.folder if stage else ""))
    native = folder_for(work, folders)
    if native is not None and _is_folder(native, bounds):
        return native
    for target, source in folders:
        # `COPY backend/app ./app`: the parent folder contains the rest.
        if target.parent == work and target.name == source.name:
            return source.parent
    if definition.build is not None and _is_folder(definition.build.context, bounds):
        # `WORKDIR /app/apps/api`, copied from another stage: the repository has the same folders.
        for first in range(2, len(work.parts)):
            inside = definition.build.context.joinpath(*work.parts[first:])
            if ".." not in work.parts and _is_folder(inside, bounds) and _has_code(inside):
                return inside
        beside = definition.build.dockerfile.parent
        has_own = _is_folder(beside, bounds) and _is_project(beside)
        return beside if has_own else definition.build.context
    return folders[-1][1] if folders and not definition.build else bounds.root


def folder_for(path: PurePosixPath, folders: tuple[tuple[PurePosixPath, Path], ...]) -> Path | None:
    """Return the native path for a path of a container; None if there is none."""
    for target, source in folders:
        if path.is_relative_to(target):
            return source / path.relative_to(target)
    return None
