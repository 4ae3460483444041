"""The statements with which a server begins: its role, its password, its databases. Pure.

A server reads them from a file at each start, before it lets a client in (`--init-file`). So what `devinit.toml`
says holds from the first connection on, no client program is needed, and no password is in a command line.
"""

from __future__ import annotations

from devinit.kinds.mysql.kind import MysqlSettings


def statements(settings: MysqlSettings) -> str:
    """Return the file: a statement on each line, all of which may run again."""
    role, password = f"{text_of(settings.user)}@'%'", text_of(settings.secret)
    lines = [
        f"CREATE USER IF NOT EXISTS {role} IDENTIFIED BY {password}",
        f"ALTER USER {role} IDENTIFIED BY {password}",
    ]
    for name in map(identifier_of, (settings.database, *settings.databases)):
        lines += [
            f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4",
            f"GRANT ALL PRIVILEGES ON {_without_wildcards(name)}.* TO {role}",
        ]
    return "".join(f"{line};\n" for line in lines)


def text_of(value: str) -> str:
    """Return a text as SQL has it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def identifier_of(name: str) -> str:
    """Return a name as SQL has it."""
    return "`" + name.replace("`", "``") + "`"


def _without_wildcards(name: str) -> str:
    """Return the name of a database in a grant, where `_` stands for any character."""
    return name.replace("_", "\\_").replace("%", "\\%")
