"""Examples such as `.env.example` without a `.env` next to them: what to copy, and which values are missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote

from msgspec import Struct

from devinit.config.env_files import EXAMPLES, LOADED
from devinit.errors import StateFileError
from devinit.model.service import Service
from devinit.system.bounds import ENV_FILE, bounds_of
from devinit.system.files import BYTE_ORDER_MARK, LARGEST_SETTINGS, read_bytes

_ASSIGNMENT = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=(.*)$", re.MULTILINE)
_PLACEHOLDER = re.compile(
    r"""["']?(?:|<.*>|your[-_ ].*|change[-_ ]?(?:me|this|it).*|replace[-_ ]?(?:me|this|with).*|"""
    r"""x{3,}|todo|\.\.\.)["']?(?:[ \t]+\#.*)?""",
    re.IGNORECASE,
)
_LEFT_OPEN = re.compile(
    r"=[ \t]{0,9}<[^<>\s=;]{2,60}>[ \t]{0,9}(?:[;&\"']|$)|://[^\s<>]{0,200}<[^<>\s/]{2,60}>"
)
"""A placeholder inside a value: `Host=<your-host>;Database=shop`."""
_OF_WRANGLER = ".dev.vars"
"""The variables that `wrangler dev` gives to its program."""
MOST_NAMES = 5


class Example(Struct, frozen=True):
    """An example of a missing `.env`."""

    source: Path
    content: bytes
    without_value: tuple[str, ...] = ()
    """Names of secrets with a placeholder or no value, and of values that contain a placeholder."""

    @property
    def target(self) -> Path:
        """The file for which it is an example."""
        own = self.source.name.removesuffix(".example")
        return self.source.with_name(own if own in (*LOADED, _OF_WRANGLER) else ENV_FILE)

    @property
    def lacks(self) -> str:
        """A clause about secrets without a value, to follow a statement about the file."""
        if not self.without_value:
            return ""
        more = " …" if len(self.without_value) > MOST_NAMES else ""
        return f", and these have no value in it: {', '.join(self.without_value[:MOST_NAMES])}{more}"


def uncopied_examples(root: Path, folders: Iterable[Path]) -> Iterator[Example]:
    """Yield the examples in these folders, and in the project's folder, that have no `.env` next to them."""
    usual = ((ENV_FILE, *LOADED), EXAMPLES)
    of_wrangler = ((_OF_WRANGLER,), (f"{_OF_WRANGLER}.example",))
    for folder in dict.fromkeys((root, *folders)):
        for wanted, examples in (usual, of_wrangler):
            if any((folder / name).exists() for name in wanted):
                continue
            source = next((folder / name for name in examples if (folder / name).is_file()), None)
            if source is None or not bounds_of(root).holds(source) or not (content := _content_of(source)):
                continue
            yield Example(source, content, _without_value(content))


def missing_env_files(root: Path, folders: Iterable[Path]) -> Iterator[str]:
    """Yield a line for each folder with an example but no `.env`, with the command that copies it."""
    for example in uncopied_examples(root, folders):
        source, target = (_shown(path, root) for path in (example.source, example.target))
        yield (
            f"{target} is missing; `cp {quote(source)} {quote(target)}` or `devinit start --setup` makes it"
            f"{example.lacks}"
        )


def folders_of(services: Iterable[Service]) -> list[Path]:
    """Return the folders in which services read a `.env`: those of services that name no other file."""
    return [each.directory for each in services if each.command is not None and not each.env_file]


def _content_of(path: Path) -> bytes:
    try:
        return (read_bytes(path, most=LARGEST_SETTINGS) or b"").removeprefix(BYTE_ORDER_MARK)
    except StateFileError:
        return b""


def _without_value(content: bytes) -> tuple[str, ...]:
    from devinit.masking.names import hides  # only where there is an example

    text = content.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    values = ((name, value.strip()) for name, value in _ASSIGNMENT.findall(text))
    return tuple(
        name
        for name, value in values
        if (hides(name) and _PLACEHOLDER.fullmatch(value)) or _LEFT_OPEN.search(value)
    )


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
