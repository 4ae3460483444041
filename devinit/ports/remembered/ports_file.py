"""`.ports.json`: the ports of the last start, which users read and edit too.

It states a preference and proves nothing. devinit keeps entries that it does not understand, and refuses a file
that it cannot read instead of overwriting it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeGuard

from devinit.errors import ConfigError, StateFileError
from devinit.model.names import PORTS_FILE
from devinit.model.port import HIGHEST_PORT, PortRequest
from devinit.system.file_lock import FileLock
from devinit.system.files import LARGEST_SETTINGS, read_text, try_to_write, write_atomically
from devinit.system.state_folders import state_folder

_WAY_OUT = "correct it, or delete it: the next start then begins with the preferred ports"


def read(root: Path, services: Collection[str] | None = None) -> dict[str, int]:
    """Return the remembered ports; with `services`, only theirs (other keys are not read).

    Raise StateFileError for a file that is no JSON object, and ConfigError for an invalid port.
    """
    path = root / PORTS_FILE
    document = _document(path)
    keys = [key for key in document if key in services] if services is not None else _port_keys(document)
    return {key: _port(path, key, document[key]) for key in keys}


def problem_of(request: PortRequest, remembered: int | None) -> str | None:
    """Return why a remembered port is ignored; None if it is valid."""
    objection = request.objection(remembered) if remembered is not None else ""
    return f"{PORTS_FILE} says {remembered}, which {objection}: ignored" if objection else None


def refuse_link_to_another_file(root: Path) -> None:
    """Raise StateFileError if `.ports.json` is a link to a file that contains anything but ports.

    A repository can contain a link to any file of the checkout. A file of devinit is a JSON object whose keys all
    have ports, apart from comments; a file without any key has nothing to lose.
    """
    path = root / PORTS_FILE
    if os.path.islink(path):  # noqa: PTH114 - False where it cannot be looked at
        _refuse_content_of_others(path, _document(path))


def write(root: Path, ports: Mapping[str, int]) -> bool:
    """Remember ports, and keep all other keys and their order; return whether the file changed."""
    path = root / PORTS_FILE
    with _writing(root):
        before = _own_document(path)
        after = {**before, **ports}
        if after == before and path.exists():
            return False
        write_atomically(path, _text(after, path), inside=root)
    return True


def try_to_remember(root: Path, ports: Mapping[str, int]) -> None:
    """Raise the errors that `write` would raise now; change nothing."""
    path = root / PORTS_FILE
    before = _own_document(path)
    after = {**before, **ports}
    if after != before or not path.exists():
        try_to_write(path, _text(after, path), inside=root)


def reset(root: Path, services: Collection[str] | None = None) -> dict[str, int]:
    """Forget the ports of these services, or of all; return the forgotten ports.

    A file without any remaining key is removed: deleting it means defaults again.
    """
    path = root / PORTS_FILE
    with _writing(root):
        document = _own_document(path)
        forgotten = [key for key in _port_keys(document) if services is None or key in services]
        kept = {key: value for key, value in document.items() if key not in forgotten}
        if not forgotten:
            return {}
        if kept:
            write_atomically(path, _text(kept, path), inside=root)
        else:
            path.unlink(missing_ok=True)
    return {key: value for key in forgotten if _is_port(value := document[key])}


def _writing(root: Path) -> AbstractContextManager[object]:
    """Return a lock against other writers (`ports set` in two shells), which would undo our change."""
    private = Path(state_folder(root))
    # The folder is not created for this: the checkout may just have been deleted.
    return FileLock(private / "ports.lock") if private.is_dir() else nullcontext()


def _own_document(path: Path) -> dict[str, object]:
    """Return the content of a file before a write; also raise StateFileError for a link to a foreign file."""
    document = _document(path)
    if os.path.islink(path):  # noqa: PTH114 - False where it cannot be looked at
        _refuse_content_of_others(path, document)
    return document


def _refuse_content_of_others(path: Path, document: Mapping[str, object]) -> None:
    keys = _port_keys(document)
    if document and not (keys and all(_is_port(document[key]) for key in keys)):
        from shlex import quote  # it loads re, for an error only

        raise StateFileError(
            f"{path} is a link to {path.resolve()}, which holds something else than ports",
            hint=f"nothing was changed; delete the link (`rm {quote(str(path))}`), and try again",
        )


def _document(path: Path) -> dict[str, object]:
    text = read_text(path, inside=path.parent, most=LARGEST_SETTINGS)
    if text is None:
        return {}
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise StateFileError(f"{path} is not JSON ({where}: {error.msg})", hint=_WAY_OUT) from error
    except ValueError as error:
        # Python does not convert a text of more than 4,300 digits.
        raise StateFileError(
            f"{path} cannot be read: it holds a number of thousands of digits", hint=_WAY_OUT
        ) from error
    except RecursionError as error:
        raise StateFileError(f"{path} is nested too deeply", hint=_WAY_OUT) from error
    if not isinstance(document, dict):
        raise StateFileError(f'{path} is not an object like {{"backend": 8000}}', hint=_WAY_OUT)
    return document


def _port_keys(document: Mapping[str, object]) -> list[str]:
    """Return the keys that may name services, without comments and schema references."""
    return [key for key in document if not key.startswith(("$", "_", "//"))]


def _port(path: Path, key: str, value: object) -> int:
    if not _is_port(value):
        raise ConfigError(
            f'{path}: "{key}" is {json.dumps(value)}, not a port number between 1 and {HIGHEST_PORT}',
            hint=f'write it as "{key}": 8000, or remove the key to get the preferred port',
        )
    return value


def _is_port(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= HIGHEST_PORT


def _text(document: Mapping[str, object], path: Path) -> str:
    try:
        text = json.dumps(document, indent=2, ensure_ascii=False)
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            # Half of a surrogate pair, which JSON can escape but UTF-8 cannot encode.
            text = json.dumps(document, indent=2)
    except RecursionError as error:
        # Reading supports deeper nesting than indented writing.
        raise StateFileError(f"{path} is nested too deeply", hint=_WAY_OUT) from error
    return text + "\n"
