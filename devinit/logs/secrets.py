"""The secrets of a project, read without its supervisor: from `.env.runtime` and from the supervisor's own record.

Services get more variables than that file contains, from their own `env` and from `.env` files. The supervisor
records the secrets among these in `secrets` in the state folder, readable only by the user. The file stays there,
because logs can be read after a stop.
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
"""In bytes, for a file of variables that devinit wrote: a service gets up to 2 MiB of them, quoted in the file."""


def mask_of(root: str | os.PathLike[str], *more: Mapping[str, str]) -> Mask:
    """Return the mask for the secrets of a project's last start, and for those in `more` environments.

    Without the files of a start it only recognises passwords in URLs.
    """
    own = os.path.join(folder_with_logs(root), SECRETS_FILE)  # noqa: PTH118  as below
    return Mask(read(os.path.join(root, ENVIRONMENT_FILE)), read(own), *more)  # noqa: PTH118  as below


def read(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the variables in a file that devinit wrote; empty if there is none."""
    try:
        content = read_bytes(path, most=LARGEST)
    except StateFileError:
        return {}
    return values_of((content or b"").decode(errors="replace"))


def noted(environments: Collection[Mapping[str, str]]) -> str:
    """Return the record about the environments of services: their secrets, and words that are no secrets.

    Several services may have the same variable, and a value may have several lines, so
    each name begins with a number.
    """
    secrets = {secret for each in environments for secret in secrets_of(each)}
    words = {word for each in environments for word in words_of(each)} & secrets
    known = [f"SECRET={each}" for each in sorted(secrets)] + [f"WORD={each}" for each in sorted(words)]
    return "".join(f"{number}_{line}\n" for number, line in enumerate(known))


def values_of(text: str) -> dict[str, str]:
    """Return the variables in the text of a file that devinit wrote: one on each line, bare or quoted."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: bare(value) for name, equals, value in pairs if equals}


def bare(value: str) -> str:
    """Return a value without the quotes around it."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
