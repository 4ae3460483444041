"""Whether all files of a Redis are there: without some of them it starts without an error, and without the data.

Redis 7 and Valkey keep a base and increments in `appendonlydir`, and a manifest that names them. Without the
manifest they begin a new base over the old one (measured with Redis 7.0 and Valkey 9.1); a base without content
counts as loaded. `dump.rdb` is not read as long as there is an append-only file. Redis 6 keeps one file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from msgspec import Struct

from devinit.errors import ProviderError
from devinit.kinds.programs import Program, moved_away, unusable
from devinit.system.files import read_bytes

FOLDER = "appendonlydir"
MANIFEST = "appendonly.aof.manifest"
SINGLE_FILE = "appendonly.aof"
SNAPSHOT = "dump.rdb"
MULTI_PART_SINCE = 7
"""Major version of Redis; every Valkey has several parts."""
_PART = r"appendonly\.aof\.(\d+)\.(base|incr)\.(?:rdb|aof)"


class Files(Struct, frozen=True, kw_only=True):
    """What lies in the data folder of a Redis."""

    manifest: str | None
    """Its content; None when there is none."""
    parts: dict[str, int] | None
    """Bytes of each file in `appendonlydir`; None without that folder."""
    single_file: bool
    snapshot: bool


def check(folder: Path, program: Program, *, was_ready: bool) -> None:
    """Raise ProviderError when the server would start with less data than it had.

    `was_ready`: whether a server was ready on this folder once.
    """
    files = read(folder)
    lost = lacking(files, was_ready=was_ready, several=keeps_several(program))
    if lost:
        raise ProviderError(
            f"the data of {program.title} in {folder} is incomplete: {lost}",
            hint="\n".join(
                [
                    "nothing was changed; bring the file back from a backup, or choose:",
                    *ways_out(files, folder, several=keeps_several(program)),
                ]
            ),
        )


def lacking(files: Files, *, was_ready: bool, several: bool) -> str:
    """Say which file is missing or without content; an empty text when nothing is. Pure."""
    if not several:
        had_data = was_ready or files.snapshot
        return f"{SINGLE_FILE} is missing" if had_data and not files.single_file else ""
    parts = files.parts or {}
    if files.manifest is None:
        if files.single_file or not (was_ready or files.snapshot or _hold_data(parts)):
            return ""
        return f"{FOLDER} is missing" if files.parts is None else f"{FOLDER}/{MANIFEST} is missing"
    if not files.manifest.strip("\0\n "):
        return f"{FOLDER}/{MANIFEST} is empty"
    for name, kind in listed(files.manifest):
        if name not in parts:
            return f"{FOLDER}/{name} is missing"
        # A base has a header, also of no data at all. An increment is empty until the first write.
        if kind == "b" and not parts[name]:
            return f"{FOLDER}/{name} is empty"
    return ""


def lacking_while_it_runs(folder: Path, *, several: bool) -> str:
    """Say when the file is missing by which a server finds its data; empty when it is there.

    Its parts are not looked at: a server that rewrites them names new ones and deletes the old ones meanwhile.
    """
    name = f"{FOLDER}/{MANIFEST}" if several else SINGLE_FILE
    return "" if (folder / name).exists() else f"{name} is missing"


def listed(manifest: str) -> Iterator[tuple[str, str]]:
    """Yield the files that a manifest names and that are read: `b` is a base, `i` an increment. Pure."""
    for line in manifest.splitlines():
        match line.split():
            case ["file", name, "seq", _, "type", ("b" | "i") as kind, *_]:
                yield name.strip('"'), kind


def ways_out(files: Files, folder: Path, *, several: bool) -> list[str]:
    """Return the commands by which a person goes on: with what is left, a snapshot, or nothing. Pure."""
    ways = []
    manifest = folder / FOLDER / MANIFEST
    if several and not (files.manifest or "").strip("\0\n ") and (lines := rebuilt(files.parts or {})):
        listed = " ".join(quote(line) for line in lines)
        ways.append(f"the manifest anew: printf '%s\\n' {listed} > {quote(str(manifest))}")
    elif several and files.snapshot:
        base = "appendonly.aof.1.base.rdb"
        commands = [
            f"cd {quote(str(folder))}",
            *([f"mv {FOLDER} {FOLDER}.old"] if files.parts is not None else []),
            f"mkdir {FOLDER}",
            f"cp {SNAPSHOT} {FOLDER}/{base}",
            f"echo 'file {base} seq 1 type b' > {FOLDER}/{MANIFEST}",
        ]
        ways.append(f"the last snapshot: {' && '.join(commands)}")
    ways.append(f"begin with empty data: {moved_away(folder)}")
    return ways


def rebuilt(parts: dict[str, int]) -> list[str]:
    """Return the lines of a lost manifest; none when it is not plain which files it named. Pure."""
    found = sorted(
        (int(matched[1]), matched[2], name) for name in parts if (matched := re.fullmatch(_PART, name))
    )
    bases = [f"file {name} seq {seq} type b" for seq, kind, name in found if kind == "base" and parts[name]]
    if len(bases) != 1:
        return []
    return bases + [f"file {name} seq {seq} type i" for seq, kind, name in found if kind == "incr"]


def read(folder: Path) -> Files:
    """Return what lies in a data folder.

    Raise ProviderError when the file system refuses, StateFileError when the manifest cannot be read.
    """
    try:
        with os.scandir(folder / FOLDER) as entries:
            parts = {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except FileNotFoundError:
        parts = None
    except OSError as error:
        raise unusable(folder / FOLDER, error) from error
    manifest = read_bytes(folder / FOLDER / MANIFEST) if parts is not None else None
    return Files(
        manifest=manifest.decode(errors="replace") if manifest is not None else None,
        parts=parts,
        single_file=(folder / SINGLE_FILE).is_file(),
        snapshot=(folder / SNAPSHOT).is_file(),
    )


def keeps_several(program: Program) -> bool:
    """Whether a program keeps its append-only file in several parts."""
    return program.flavour != "redis" or program.major >= MULTI_PART_SINCE


def _hold_data(parts: dict[str, int]) -> bool:
    """Whether files without a manifest are more than what a first start leaves that is killed at once.

    That is a base of no data, number 1, and an increment without content.
    """
    for name, size in parts.items():
        matched = re.fullmatch(_PART, name)
        if matched is not None and (matched[1] != "1" or (matched[2] == "incr" and size > 0)):
            return True
    return False
