"""MySQL, or MariaDB: what it is."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Annotated, Self

from msgspec import Meta, convert

from devinit.kinds.kind import Binaries, Context, Flavour, Keys, Kind, Where, checked_password, values_of
from devinit.model.service import DatabaseSettings, Settings

LONGEST_USER, LONGEST_DATABASE = 32, 64
"""Characters, in MySQL; MariaDB takes longer users."""
_RESERVED = ("mysql", "sys", "information_schema", "performance_schema")


class MysqlSettings(DatabaseSettings, frozen=True, kw_only=True):
    """What a MySQL or MariaDB of the checkout's own is created with."""

    binaries: Path | None = None
    """Where its program is, when the developer says so."""


class MysqlKeys(Keys, frozen=True, kw_only=True):
    """The keys that MySQL declares."""

    database: Annotated[str | None, Meta(description="the database's name. Default: the project's name.")] = (
        None
    )
    databases: Annotated[
        list[str] | None,
        Meta(
            description='further databases on the same server, ["shop_test"]. The first one with '
            "the word `test` in its name is the test database: TEST_DATABASE_URL, `devinit run --test`."
        ),
    ] = None
    user: Annotated[str | None, Meta(description="the role's name. Default: the project's name.")] = None
    password: Annotated[
        str | None,
        Meta(
            description='its password; "random" is one that is made for this checkout, "${NAME}" that of a '
            "variable in `.env` or the shell. Default: random."
        ),
    ] = None
    binaries: Binaries = None

    def settings(self, context: Context) -> MysqlSettings | None:
        """Return what the server is created with; named after the project unless said otherwise."""
        if context.is_elsewhere:
            return None
        usual, where = identifier(context.project), context.where
        _check(self.database, where.at("database"), LONGEST_DATABASE, reserved=_RESERVED)
        _check(self.user, where.at("user"), LONGEST_USER, reserved=("root", "mariadb.sys", "mysql.sys"))
        for number, name in enumerate(self.databases or []):
            _check(name, where.at("databases").at(number), LONGEST_DATABASE, reserved=_RESERVED)
        return MysqlSettings(
            database=self.database or usual,
            user=self.user or usual[:LONGEST_USER],
            password=checked_password(self.password, where.at("password")),
            databases=tuple(self.databases or ()),
            binaries=context.folder("binaries", self.binaries) if self.binaries else None,
        )

    @classmethod
    def stating(cls, settings: Settings, project: str, root: Path) -> Self:
        """Return the keys that say what the settings are: the database always, the role only if it is another."""
        values = values_of(settings, cls.__struct_fields__, root)
        if values.get("user") == identifier(project)[:LONGEST_USER]:
            del values["user"]
        return convert(values, cls)


def identifier(name: str) -> str:
    """Return a name that SQL takes as it is: "Café-Shop" → "cafe_shop"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or "app"
    if text[0].isdigit() or text in (*_RESERVED, "root"):
        text = f"app_{text}"
    return text[:LONGEST_DATABASE].rstrip("_")


def _check(name: str | None, where: Where, longest: int, *, reserved: tuple[str, ...]) -> None:
    if name is None:
        return
    if not name or len(name) > longest or not name.isprintable() or name != name.strip():
        where.add(f"a name has 1 to {longest} characters, and no spaces around them")
    elif name.lower() in reserved:
        where.add(f'the server keeps the name "{name}" for itself')


MYSQL = Kind(
    name="mysql",
    runner="devinit.kinds.mysql.provider:MysqlProvider",
    container="devinit.kinds.mysql.container:container_of",
    own=MysqlKeys,
    settings=MysqlSettings,
    flavours=(
        Flavour(name="mariadb", title="MariaDB", banner=r"\S*(?:mariadbd|mysqld)\s+Ver(?=\s.*MariaDB)"),
        Flavour(name="mysql", title="MySQL", banner=r"\S*mysqld\s+Ver(?!\s.*MariaDB)"),
    ),
    programs=("mariadbd", "mysqld"),
    default_port=3306,
    url_schemes=("mysql", "mariadb"),
    common_prefix="MYSQL",
    keeps_data=True,
    has_databases=True,
    proves_itself=True,
)
