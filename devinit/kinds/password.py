"""The random password of a server; without it, other users of the machine could guess the password.

It is stored next to the data, because it belongs to the data: a copy of one is useless without the other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from devinit.errors import StateFileError
from devinit.kinds.programs import make_private
from devinit.system.files import read_text, write_atomically

PASSWORD_FILE = "password"  # noqa: S105 - a file's name
RANDOM_BYTES = 24
"""192 bits, written as 48 hexadecimal digits: the text is the same in a URL, in a shell and in a `.env` file."""


def kept_password(home: Path) -> str:
    """Return the random password in the folder of a service; create it if there is none.

    Raise StateFileError when the file cannot be read or written, or contains no password.
    """
    path = home / PASSWORD_FILE
    text = read_text(path)
    if text is None:
        made = os.urandom(RANDOM_BYTES).hex()
        make_private(home)
        write_atomically(path, f"{made}\n", mode=0o600)
        return made
    password = text.strip()
    if not password or not password.isprintable():
        raise StateFileError(
            f"{path} holds no password",
            hint=f"delete it, and the next start makes another one: rm {quote(str(path))}",
        )
    return password


def stated_password(text: str, stated: Mapping[str, str], caller: Mapping[str, str]) -> str | None:
    """Return the password for a configured one; None if `${NAME}` has no value anywhere.

    `stated`: values in files of the project, by variable; they take precedence over the caller's environment, as
    they do for the services. A value there may be a variable again. Any other text is the password itself.
    """
    name, sign, default = text[2:-1].partition(":-")
    if not (text.startswith("${") and text.endswith("}") and name.isidentifier()):
        return text
    found = stated.get(name, "")
    if "${" in found:
        others = {each: value for each, value in stated.items() if each != name}
        found = stated_password(found, others, caller) or ""
        if "${" in found:
            return None  # more than one variable: the services get the expanded value, but a server cannot
    return found or caller.get(name) or (default if sign else None) or None


def in_url(text: str) -> str:
    """Percent-encode a part of a URL; urllib.parse would cost 3 ms at the supervisor's start."""
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-._~") else _escaped(letter)
        for letter in text
    )


def _escaped(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode())
