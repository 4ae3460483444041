"""The kind `docker`, a container of any image: its keys and their checks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from msgspec import Meta
from msgspec.structs import replace

from devinit.kinds.kind import Context, Keys, Kind, Where, checked_password
from devinit.model.service import Settings

NOT_IN_A_NAME = re.compile(r"[^a-z0-9_]+")
SERVER_NAMES = (
    "mysql", "mariadb", "mongodb", "rabbitmq", "memcached", "mailpit", "minio", "meilisearch", "opensearch",
    "nats", "clickhouse",
)  # fmt: skip
"""Of the rows in `servers`, which are loaded for a project that has one."""
BUILD_KEYS = ("context", "dockerfile", "target", "args")
LOWEST, HIGHEST = 1, 65535
Pull: TypeAlias = Literal["missing", "always", "never"]


class DockerKeys(Keys, frozen=True, kw_only=True):
    """The keys that a container declares, which are its settings."""

    image: Annotated[
        str | None,
        Meta(description='the image that it runs: "mailpit:v1", "ghcr.io/acme/search:2".'),
    ] = None
    server: Annotated[
        str | None,
        Meta(
            description="a server that is run from its published image without more being said: "
            f"{', '.join(SERVER_NAMES)}."
        ),
    ] = None
    database: Annotated[
        str | None, Meta(description="for a `server` with databases: its name. Default: the project's name.")
    ] = None
    password: Annotated[
        str | None,
        Meta(
            description='for a `server` with a login: its password, "${NAME}" that of a variable. Default: a '
            "random one, which is made for this checkout."
        ),
    ] = None
    build: Annotated[
        str | dict[str, str | dict[str, str]] | None,
        Meta(
            description="what its image is built from: a folder of the project, or a table as "
            '{ context = ".", dockerfile = "Dockerfile.dev", target = "dev", args = { NODE = "22" } }.'
        ),
    ] = None
    container_port: Annotated[
        int | None,
        Meta(
            description="the port on which its program listens in the container; `port` is that on this machine. "
            "Default: the one that the image exposes, else `port`."
        ),
    ] = None
    volumes: Annotated[
        list[str] | None,
        Meta(
            description='what it keeps or is given: "data:/var/lib/data" is a volume of this checkout, '
            '"./conf:/etc/app:ro" a file or folder of the project.'
        ),
    ] = None
    entrypoint: Annotated[str | None, Meta(description="what is run instead of the image's entry point.")] = (
        None
    )
    user: Annotated[str | None, Meta(description='who it runs as in the container: "1000:1000".')] = None
    platform: Annotated[
        str | None, Meta(description='which variant of its image is used: "linux/amd64".')
    ] = None
    pull: Annotated[
        Pull | None,
        Meta(description="when its image is fetched: missing (default), always or never."),
    ] = None
    image_healthcheck: Annotated[
        bool | None,
        Meta(description="true: it is ready when the image's own HEALTHCHECK says so. Default: false."),
    ] = None
    tmpfs: Annotated[list[str] | None, Meta(description='folders in it that are kept in memory: "/tmp".')] = (
        None
    )
    shm_size: Annotated[int | None, Meta(description="size of its /dev/shm, in bytes.")] = None

    def settings(self, context: Context) -> Settings | None:
        """Return these keys, and report what is wrong with them."""
        if context.is_elsewhere:
            return self
        _check(self, context.where)
        checked_password(self.password, context.where.at("password"))
        if self.server is None or self.database is not None:
            return self
        return replace(self, database=NOT_IN_A_NAME.sub("_", context.project.lower()) or None)

    @classmethod
    def stating(cls, settings: Settings, project: str, root: Path) -> Self:
        """Return the keys without the database that is called like the project."""
        keys = super().stating(settings, project, root)
        usual = NOT_IN_A_NAME.sub("_", project.lower())
        return replace(keys, database=None) if keys.database == usual else keys


def _check(keys: DockerKeys, where: Where) -> None:
    _check_build(keys, where)
    if keys.image is not None and (not keys.image.strip() or set(keys.image) & set(" \t\n?#")):
        where.at("image").add(f'"{keys.image}" is not the name of an image', 'as "postgres:16"')
    if keys.container_port is not None and not LOWEST <= keys.container_port <= HIGHEST:
        where.at("container_port").add("not a port", f"a number from {LOWEST} to {HIGHEST}")
    for text in keys.volumes or ():
        if (wrong := wrong_with_volume(text)) is not None:
            where.at("volumes").add(f'"{text}" {wrong[0]}', wrong[1])
    for text in keys.tmpfs or ():
        if not text.startswith("/"):
            where.at("tmpfs").add(f'"{text}" is not a folder in the container', 'an absolute path, as "/tmp"')


def _check_build(keys: DockerKeys, where: Where) -> None:
    if keys.server is not None and keys.server not in SERVER_NAMES:
        where.at("server").add(f'there is no server "{keys.server}"', f"these are: {', '.join(SERVER_NAMES)}")
    if keys.image is None and keys.build is None and keys.server is None:
        where.at("image").add("missing", 'as "postgres:16"; or build = "FOLDER", or server = "mysql"')
    for key in ("database", "password"):
        if keys.server is None and getattr(keys, key) is not None:
            where.at(key).add("means nothing without `server`", "`env` configures an image of your own")
    if keys.image is not None and keys.build is not None:
        where.at("build").add("means nothing beside `image`", "one of them says what runs")
    for key, value in keys.build.items() if isinstance(keys.build, dict) else ():
        if key not in BUILD_KEYS:
            where.at("build", key).add("not a key", f"these are: {', '.join(BUILD_KEYS)}")
        elif isinstance(value, dict) is not (key == "args"):
            where.at("build", key).add("a table" if key == "args" else "a text")


def wrong_with_volume(text: str) -> tuple[str, str] | None:
    """Return the problem with an entry in `volumes`, and the correct form; None for a valid one."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not parts[1].startswith("/") or parts[2:] not in ([], ["ro"], ["rw"]):
        return "is not SOURCE:/PATH", 'as "data:/var/lib/data" or "./conf:/etc/app:ro"'
    source = parts[0]
    if is_name(source):
        return None
    if not source.startswith("."):
        return (
            "lies outside of the project",
            "devinit lets a container have files of its project alone: `./FOLDER`, or the name of a volume",
        )
    if ".." in source.split("/"):
        return "leads out of the project", "a path in the project, as `./conf`"
    return None


def is_name(source: str) -> bool:
    """Return whether the source of a volume is a name, not a path."""
    return bool(source) and source[0].isalnum() and all(one.isalnum() or one in "_.-" for one in source)


def words_of(texts: Sequence[str] | None) -> tuple[str, ...]:
    """Return the texts of a key that may be missing."""
    return tuple(texts or ())


DOCKER = Kind(
    name="docker",
    runner="devinit.kinds.docker.provider:DockerProvider",
    keys=frozenset({"command", "scheme", "url_path", "docs_path", "warm"}),
    own=DockerKeys,
    settings=DockerKeys,
    has_pages=True,
    container="devinit.kinds.docker.container:container_of",
    in_container=True,
)
