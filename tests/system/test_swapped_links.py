"""Specifies that what is deleted in `.devinit` lies there, whatever another user puts in its place meanwhile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from devinit.system import old_layout, unused_state
from devinit.system.own_folder import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OURS = "0123456789abcdef" * 2


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A folder of the user's elsewhere, with a file of each name that devinit removes."""
    folder = tmp_path / "precious"
    for path in (folder / "letters", folder / "pids" / "letters"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("dear\n")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The `.devinit` of a checkout that others may write into."""
    folder = tmp_path / "shop" / ".devinit"
    (folder / "pids").mkdir(parents=True)
    (folder / "pids" / "12").touch()
    return folder


def swapped_after(call: str, own: Path, precious: Path, patch: pytest.MonkeyPatch) -> None:
    """Put a link in the place of `.devinit` right behind the next call of a function of `os`."""
    real: Callable[..., object] = getattr(os, call)

    def then_swapped(*words: object, **keys: object) -> object:
        answer = real(*words, **keys)
        patch.undo()
        own.rename(own.with_name("aside"))
        own.symlink_to(precious)
        return answer

    patch.setattr(os, call, then_swapped)


@pytest.mark.parametrize("call", ["open", "lstat", "listdir", "fstat", "read", "close"])
def test_the_identity_of_an_unused_checkout(
    own: Path, precious: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (own / "pids" / "12").unlink()
    (own / "pids").rmdir()
    (own / IDENTITY).write_text(f"{OURS}\n")
    swapped_after(call, own, precious, monkeypatch)

    unused_state._remove_identity(str(own), OURS)

    assert (precious / "letters").exists()


@pytest.mark.parametrize("call", ["open", "lstat", "listdir", "unlink"])
def test_what_an_earlier_version_left(
    own: Path, precious: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    swapped_after(call, own, precious, monkeypatch)

    old_layout._remove(str(own), "pids")

    assert (precious / "pids" / "letters").exists()
