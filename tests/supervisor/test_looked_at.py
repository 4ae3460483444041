"""Specifies what a checkout that was only looked at leaves in the user's state directory, and in itself: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinit.system.checkout import claim
from devinit.system.file_lock import FileLock
from devinit.system.paths import state_path
from devinit.system.unused_state import remove_unused
from tests.supervisor.conftest import wait_for_end

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import Shop

LOOKS = [
    ("status",),
    ("status", "--json"),
    ("env",),
    ("env", "--explain"),
    ("why", "web"),
    ("check",),
    ("ports",),
    ("logs",),
    ("doctor",),
    ("init", "--print"),
    ("init", "--explain"),
    ("run", "--", "true"),
]


def state_folders() -> list[str]:
    from pathlib import Path

    return sorted(path.name for path in Path(state_path(), "checkouts").glob("*") if path.name != "lock")


def see_supervisors_off(shop: Shop) -> None:
    for pid in shop.supervisors():
        wait_for_end(pid)


class TestACheckoutThatWasOnlyLookedAt:
    @pytest.mark.parametrize("words", LOOKS, ids=" ".join)
    def test_has_no_state_folder_afterwards(self, shop: Shop, port: int, words: tuple[str, ...]) -> None:
        shop.service("web", port=port)

        shop(*words)
        see_supervisors_off(shop)

        assert state_folders() == []
        assert not (shop.root / ".devinit").exists()

    def test_is_started_at_once_after_each_look(self, shop: Shop, port: int) -> None:
        """The supervisor that was only asked is just leaving then, and removes the folder."""
        shop.service("web", port=port)
        for _ in range(5):
            assert shop("env").returncode == 0
            assert shop("why", "web").returncode == 0
        assert shop("start", "-d").returncode == 0

        assert shop.status()["web"]["phase"] == "ready"

    def test_keeps_its_state_folder_once_it_was_started(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop("stop")
        see_supervisors_off(shop)
        [folder] = state_folders()

        shop("env")
        see_supervisors_off(shop)

        assert state_folders() == [folder]
        assert (shop.root / ".devinit" / "identity").exists()

    def test_keeps_a_password_that_was_given_out(self, shop: Shop, port: int) -> None:
        shop.server("db", provider="postgres", port=port)

        first = shop("env").stdout
        see_supervisors_off(shop)

        assert shop("env").stdout == first


class TestAnUnusedStateFolder:
    def test_is_removed_with_the_identity(self, tmp_path: Path) -> None:
        folder = claim(tmp_path)

        assert remove_unused(tmp_path, folder)

        assert state_folders() == []
        assert not (tmp_path / ".devinit").exists()
        assert claim(tmp_path) == folder

    @pytest.mark.parametrize("name", ["logs", "data", "something"])
    def test_is_kept_with_anything_else_in_it(self, tmp_path: Path, name: str) -> None:
        folder = claim(tmp_path)
        (state := type(tmp_path)(folder) / name).mkdir()

        assert not remove_unused(tmp_path, folder)

        assert state.exists()

    def test_is_kept_while_a_command_launches_a_supervisor(self, tmp_path: Path) -> None:
        folder = claim(tmp_path)

        with FileLock(f"{folder}/launch.lock"):
            assert not remove_unused(tmp_path, folder)

        assert claim(tmp_path) == folder

    def test_is_kept_with_a_log_that_holds_an_error(self, tmp_path: Path) -> None:
        folder = claim(tmp_path)
        (type(tmp_path)(folder) / "supervisor.log").write_text(
            "2026-01-01 12:00:00,000 ERROR devinit: lost\n"
        )

        assert not remove_unused(tmp_path, folder)

    def test_is_removed_without_a_devinit_folder_that_holds_something(self, tmp_path: Path) -> None:
        folder = claim(tmp_path)
        (tmp_path / ".devinit" / "notes").write_text("mine\n")

        assert remove_unused(tmp_path, folder)

        assert (tmp_path / ".devinit" / "notes").read_text() == "mine\n"
