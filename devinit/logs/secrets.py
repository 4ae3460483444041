"""Which secrets a project has, without asking its supervisor: what `.env.runtime` says, and what it noted itself.

Services are given more than that file says, by their own `env` and by `.env` files. The supervisor notes what of
it is secret in `secrets` in the state folder, for you alone. It stays there: logs can be read after a stop.
"""

from __future__ import annotations

import os

from devinit.errors import StateFileError
from devinit.logs import SECRETS_FILE
from devinit.logs.mask import Mask, secrets_of, words_of
from devinit.model.names import ENVIRONMENT_FILE
from devinit.system.checkout import folder_with_logs
from devinit.system.files import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LARGEST = 8 * 2**20
"""Bytes of a file with variables that devinit wrote: a service is given 2 MiB of them, quoted there."""


def mask_of(root: str | os.PathLike[str]) -> Mask:
    """Return what hides the secrets of a project; without its files only passwords in URLs are recognised."""
    own = os.path.join(folder_with_logs(root), SECRETS_FILE)  # noqa: PTH118  as below
    return Mask(read(os.path.join(root, ENVIRONMENT_FILE)), read(own))  # noqa: PTH118  as below


def read(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the variables of a file that devinit wrote; none without it."""
    try:
        content = read_bytes(path, most=LARGEST)
    except StateFileError:
        return {}
    return values_of((content or b"").decode(errors="replace"))


def noted(environments: Collection[Mapping[str, str]]) -> str:
    """Return what is to be noted of what services are given: their secrets, and words that are no secret.

    Several may have the same variable, and a value may have several lines, so each name begins with a number.
    """
    secrets = {secret for each in environments for secret in secrets_of(each)}
    words = {word for each in environments for word in words_of(each)} & secrets
    known = [f"SECRET={each}" for each in sorted(secrets)] + [f"WORD={each}" for each in sorted(words)]
    return "".join(f"{number}_{line}\n" for number, line in enumerate(known))


def values_of(text: str) -> dict[str, str]:
    """Return the variables of a file that devinit wrote: one a line, bare or in quotes."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: bare(value) for name, equals, value in pairs if equals}


def bare(value: str) -> str:
    """Return a value without the quotes around it."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
