"""Copies of `.env` examples that a fresh checkout lacks, created by `start --setup`."""

from __future__ import annotations

import os
from collections.abc import Iterator

from devinit.config.env_examples import Example, folders_of, uncopied_examples
from devinit.model.service import Project


def copy_examples(project: Project) -> Iterator[str]:
    """Copy each example that has no `.env` next to it; yield a line for each, with the secrets that it lacks."""
    for example in uncopied_examples(project.root, folders_of(project.services.values())):
        target = os.path.relpath(example.target, project.root)
        try:
            _write_new(example)
        except OSError as error:
            yield f"{target} could not be made: {error.strerror}"
        else:
            yield f"{target} was copied from {example.source.name}{example.lacks}"


def _write_new(example: Example) -> None:
    """Write a file that does not exist, not even as a link.

    Only its owner may read it, since it will hold secrets.
    """
    descriptor = os.open(example.target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no Path
        file.write(example.content)
