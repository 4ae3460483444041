"""The check that all files of a Redis exist; without some of them it starts without errors and without data.

Redis 7 and Valkey keep a base and increments in `appendonlydir`, and a manifest that names them. Without the
manifest they create a new base over the old one (measured with Redis 7.0 and Valkey 9.1); an empty base counts as
loaded. `dump.rdb` is not read while there is an append-only file. Redis 6 keeps a single file.
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
    """The files in the data folder of a Redis."""

    manifest: str | None
    """Its content; None if it does not exist."""
    parts: dict[str, int] | None
    """Bytes of each file in `appendonlydir`; None if that folder does not exist."""
    single_file: bool
    snapshot: bool


def check(folder: Path, program: Program, *, was_ready: bool) -> None:
    """Raise ProviderError if the server would start with less data than it had.

    `was_ready`: whether a server was ever ready on this folder.
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
    """Return which file is missing or empty; "" if the data is complete. Pure."""
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
        # A base has a header even without data. An increment is empty until the first write.
        if kind == "b" and not parts[name]:
            return f"{FOLDER}/{name} is empty"
    return ""


def lacking_while_it_runs(folder: Path, *, several: bool) -> str:
    """Return a message if the file is missing by which a server finds its data; "" if it exists.

    Its parts are not checked: a server that rewrites them names new ones and deletes the old ones meanwhile.
    """
    name = f"{FOLDER}/{MANIFEST}" if several else SINGLE_FILE
    return "" if (folder / name).exists() else f"{name} is missing"


def listed(manifest: str) -> Iterator[tuple[str, str]]:
    """Yield the files in a manifest that the server reads: `b` is a base, `i` an increment. Pure."""
    for line in manifest.splitlines():
        match line.split():
            case ["file", name, "seq", _, "type", ("b" | "i") as kind, *_]:
                yield name.strip('"'), kind


def ways_out(files: Files, folder: Path, *, several: bool) -> list[str]:
    """Return commands with which the user can continue: with the remaining files, a snapshot, or no data. Pure."""
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
    """Return the lines of a lost manifest; empty if the files in it cannot be determined. Pure."""
    found = sorted(
        (int(matched[1]), matched[2], name) for name in parts if (matched := re.fullmatch(_PART, name))
    )
    bases = [f"file {name} seq {seq} type b" for seq, kind, name in found if kind == "base" and parts[name]]
    if len(bases) != 1:
        return []
    return bases + [f"file {name} seq {seq} type i" for seq, kind, name in found if kind == "incr"]


def read(folder: Path) -> Files:
    """Return the files in a data folder.

    Raise ProviderError if the file system denies access, StateFileError if the manifest cannot be read.
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
    """Whether a program splits its append-only file into several parts."""
    return program.flavour != "redis" or program.major >= MULTI_PART_SINCE


def _hold_data(parts: dict[str, int]) -> bool:
    """Whether files without a manifest are more than the remains of a first start that was killed at once.

    Those are an empty base with the number 1, and an increment without content.
    """
    for name, size in parts.items():
        matched = re.fullmatch(_PART, name)
        if matched is not None and (matched[1] != "1" or (matched[2] == "incr" and size > 0)):
            return True
    return False
