"""The secrets that a project's own files state, known before anything runs: for commands that show its lines."""

from __future__ import annotations

from contextlib import suppress

from devinit.errors import DevinitError
from devinit.logs.secrets import mask_of
from devinit.resolving.resolve import QuietEnvFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinit.logs.mask import Mask
    from devinit.model.service import Project


def mask_of_project(project: Project) -> Mask:
    """Return what hides the secrets of `.env` files, of `env` and `[environment]`, and of the last start."""
    return mask_of(project.root, *_stated(project))


def _stated(project: Project) -> Iterator[dict[str, str]]:
    files = QuietEnvFiles(project.root)
    yield project.environment
    for service in project.services.values():
        yield service.env
        with suppress(DevinitError):  # said of the service that is given the file
            yield {name: each.value for name, each in files.files_of(service, {}).items()}
