"""Find addresses of databases in scripts, in Go, Rust and Elixir code, and in configuration files. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from devinit.sources.addresses import Login

LOCAL = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])"
KINDS = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "redis": "redis",
    "rediss": "redis",
    "valkey": "redis",
}
"""URL scheme → provider."""
USUAL_PORTS = {"postgres": 5432, "redis": 6379}
URL = re.compile(
    rf"\b(?P<scheme>postgres|postgresql|rediss?|valkey)(?:\+\w{{1,30}})?://"
    rf"(?:(?P<user>[^\s@/:\"'`]{{0,100}})(?::(?P<password>[^\s@/\"'`]{{0,200}}))?@)?{LOCAL}"
    r"(?::(?P<port>\d{2,5}))?(?:/(?P<database>[\w-]{1,63}))?(?=[/?\s\"'`#]|$)"
)
COMPILED = (".go", ".rs", ".exs")
"""Suffixes of Go, Rust and Elixir."""
LONGEST_LINE = 500
_LONGEST_BLOCK = 400
"""In characters on each side of a host: the range in which the other parts of its address are searched."""
_FROM_ELSEWHERE = re.compile(
    r"process\.env|import\.meta\.env|Deno\.env|Bun\.env|\benv\.|\benv\(|\benv\[|\?\?|\|\||default\(|DEFAULT|\$\{|%\("
)
_DEFAULT_FOLLOWS = ("||", "??", "default(", "env(")
"""Endings of the previous line when a line of a script is only a default."""
_ASKS = re.compile(
    r"getenv|lookupenv|get_?env|env::var|fetch_env|viper|envconfig|env:\"|envDefault|SetDefault|unwrap_or|flag\.String|default_value",
    re.IGNORECASE,
)
"""For Go, Rust and Elixir: matches code near the default of a variable or of a flag."""
_NEAR = 240
"""In characters before a text: the range that shows whether it is such a default."""
_COMMENT = re.compile(r"\s{0,200}(?://|\*|/\*|#|;|<!--)")
_HOST = re.compile(rf"""\bhost(?:name)?["']?[ \t]{{0,20}}(?P<sign>:=|[:=])[ \t]{{0,20}}["']{LOCAL}["']""")
_PART = re.compile(
    r"""\b(?P<name>port|user|username|password|database|db_?name|dialect)["']?[ \t]{0,20}(?::=|[:=])[ \t]{0,20}"""
    r"""(?P<quote>["']?)(?P<value>[^"'\s,;{}()]{1,200})(?P=quote)(?=[\s,;})]|$)""",
    re.IGNORECASE,
)
_KEYWORDS = re.compile(
    rf"[\"'`](?P<text>[^\"'`\n]{{0,300}}\bhost={LOCAL}(?=[ \"'`])[^\"'`\n]{{0,300}})[\"'`]"
)
_KEYWORD = re.compile(r"\b(\w{1,20})=([^\s\"'`]{1,200})")
_ADO = re.compile(
    rf"[\"'](?P<text>[^\"'\n]{{0,300}}(?i:\b(?:host|server)={LOCAL})(?=[;\"'])[^\"'\n]{{0,300}})[\"']"
)
"""Matches a connection string of ADO.NET: `Host=localhost;Port=5432;Database=shop`."""
_ADO_PART = re.compile(r"(?:^|;)\s{0,9}([A-Za-z ]{1,20}?)\s{0,9}=([^;\"'\n]{0,200})")
_REPO = re.compile(
    r"^config :\w{1,80},[ \t]{0,9}[\w.]{1,120}Repo,[^\n]{0,200}\n(?:[ \t]+[^\n]{0,300}\n?){1,40}",
    re.MULTILINE,
)
"""Matches the block in which Ecto configures its database."""
_POSTGRES = re.compile(
    r"[\"'](?:pg|postgres|pg-promise|typeorm|sequelize|knex)[\"']|postgres|pgx|lib/pq", re.IGNORECASE
)


class Address(NamedTuple):
    """A server on this machine that a text names."""

    kind: str
    """Its provider, such as "postgres"."""
    port: int
    position: int
    """In characters from the start of the text."""
    login: Login = Login()


def in_url(found: re.Match[str], position: int) -> Address:
    """Return the server that a URL names."""
    kind = KINDS[found["scheme"]]
    user, password = (unquote(found[name] or "") for name in ("user", "password"))
    return Address(
        kind,
        int(found["port"] or USUAL_PORTS[kind]),
        position,
        Login(user, password, found["database"] or ""),
    )


def in_text(text: str, *, suffix: str, is_script: bool) -> Iterator[Address]:
    """Yield the servers in a script, in a program in Go, Rust or Elixir, or in a configuration file."""
    is_compiled = suffix in COMPILED
    position = 0
    for line in text.splitlines(keepends=True):
        if len(line) <= LONGEST_LINE and not _COMMENT.match(line) and not _FROM_ELSEWHERE.search(line):
            for found in URL.finditer(line):
                before = text[max(position - LONGEST_LINE, 0) : position].rstrip()
                at = position + found.start()
                is_default = is_script and before.endswith(_DEFAULT_FOLLOWS)
                if not is_default and not (is_compiled and _is_asked_for(text, at)):
                    yield in_url(found, at)
        position += len(line)
    if is_compiled:
        yield from _in_keywords(text)
    if suffix == ".json":
        yield from _in_ado(text)
    yield from _in_repo(text) if suffix == ".exs" else _in_parts(text, is_compiled=is_compiled)


def _in_keywords(text: str) -> Iterator[Address]:
    """Yield the servers in connection strings of libpq: `host=localhost user=shop dbname=shop`."""
    for found in _KEYWORDS.finditer(text):
        if _is_comment(text, found.start()) or _is_asked_for(text, found.start()):
            continue
        said = dict(_KEYWORD.findall(found["text"]))
        if not any(value.startswith(("%", "{", "$")) for value in said.values()):
            yield _postgres(said, found.start("text"))


def _in_ado(text: str) -> Iterator[Address]:
    """Yield the servers in connection strings of Npgsql; other databases use the key `Server`, too."""
    for found in _ADO.finditer(text):
        said = {
            name.lower().replace(" ", ""): value.strip() for name, value in _ADO_PART.findall(found["text"])
        }
        if "host" in said or said.get("port") == str(USUAL_PORTS["postgres"]):
            user = next((said[name] for name in ("username", "userid", "user") if said.get(name)), "")
            yield _postgres({**said, "user": user}, found.start("text"))


def _in_parts(text: str, *, is_compiled: bool) -> Iterator[Address]:
    """Yield the servers whose address is spread over several named values."""
    for found in _HOST.finditer(text):
        first, last = max(found.start() - _LONGEST_BLOCK, 0), found.end() + _LONGEST_BLOCK
        if not is_compiled:
            # The object around the host.
            first = max(text.rfind("{", first, found.start()), first)
            last = text.find("}", found.end(), last) if text.find("}", found.end(), last) >= 0 else last
        block = text[first:last]
        if _is_comment(text, found.start()) or _FROM_ELSEWHERE.search(block) or _ASKS.search(block):
            continue
        parts = {each["name"].lower(): each for each in reversed(list(_PART.finditer(block)))}
        said = {name: each["value"] for name, each in parts.items()}
        port = said.get("port", "")
        at = first + parts["port"].start() if port else found.start()
        if port == str(USUAL_PORTS["redis"]):
            login = Login(password=said.get("password", ""))
            yield Address("redis", int(port), at, login)
        elif port == str(USUAL_PORTS["postgres"]) or (
            _names_a_database(said) and _is_of_postgres(said, text) and (port.isdecimal() or not port)
        ):
            yield _postgres(said, at)


def _in_repo(text: str) -> Iterator[Address]:
    """Yield the database of Ecto. Without a port, PGPORT sets it."""
    for found in _REPO.finditer(text):
        block = found[0]
        host = _HOST.search(block)
        said = {each["name"].lower(): each["value"] for each in _PART.finditer(block)}
        if host is not None and "get_env" not in block and "fetch_env" not in block:
            yield _postgres(said, found.start() + host.start())


def _names_a_database(said: Mapping[str, str]) -> bool:
    return bool({"database", "dbname", "db_name"} & said.keys()) and bool({"user", "username"} & said.keys())


def _is_of_postgres(said: Mapping[str, str], text: str) -> bool:
    dialect = said.get("dialect", "")
    return dialect.startswith("postgres") if dialect else _POSTGRES.search(text) is not None


def _postgres(said: Mapping[str, str], position: int) -> Address:
    port = said.get("port", "")
    user = said.get("user", "") or said.get("username", "")
    names = (said.get(name, "") for name in ("dbname", "database", "db_name"))
    login = Login(user, said.get("password", ""), next(filter(None, names), ""))
    return Address("postgres", int(port) if port.isdecimal() else USUAL_PORTS["postgres"], position, login)


def _is_asked_for(text: str, position: int) -> bool:
    """Return whether a text in Go, Rust or Elixir is the default of an environment variable or of a flag."""
    return _ASKS.search(text[max(position - _NEAR, 0) : position]) is not None


def _is_comment(text: str, position: int) -> bool:
    return _COMMENT.match(text[text.rfind("\n", 0, position) + 1 : position + 1]) is not None
