"""The SQL statements for a server's start, which create its role and databases, and set the password. Pure.

A server reads them from a file at each start, before it accepts a client (`--init-file`). So the configuration in
`devinit.toml` applies from the first connection on, without a client program, or a password in a command line.
"""

from __future__ import annotations

from devinit.kinds.mysql.kind import MysqlSettings


def statements(settings: MysqlSettings) -> str:
    """Return the text of the file: one statement a line; all of them can run repeatedly."""
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
    """Return a text as an SQL literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def identifier_of(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def _without_wildcards(name: str) -> str:
    """Escape a database name for a GRANT, where `_` matches any character."""
    return name.replace("_", "\\_").replace("%", "\\%")
