"""Specifies how a folder is waited for that may be deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devinit.supervisor.files.folders import until_gone
from devinit.system.folder import FolderWatch

FILES = 3000


def make_and_delete(folder: Path) -> None:
    for number in range(FILES):
        file = folder / str(number)
        file.touch()
        file.unlink()


class TestAFolderBesideWhichFilesComeAndGo:
    async def test_is_looked_at_now_and_then_and_still_missed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "shop"
        folder.mkdir()
        looks = 0
        watched = asyncio.Event()
        look = FolderWatch.is_there

        def counted(watch: FolderWatch) -> bool:
            nonlocal looks
            looks += 1
            watched.set()
            return look(watch)

        monkeypatch.setattr(FolderWatch, "is_there", counted)
        waiting = asyncio.ensure_future(until_gone(folder))
        await watched.wait()

        await asyncio.to_thread(make_and_delete, tmp_path)
        folder.rmdir()
        await asyncio.wait_for(waiting, 10)

        assert looks < FILES / 100
