"""Specifies what root may start: nothing in a folder of another user's, who would be locked out of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.addresses import wait_for
from devinit.cli.doctor import files
from devinit.control import ownership
from devinit.control.launch import connect_or_start, connect_to_running, refuse_foreign
from devinit.control.spawning import begin, begun
from devinit.errors import SupervisorError
from devinit.system.checkout import claim
from tests.system.conftest import NOBODY, shared_folder, unprivileged

if TYPE_CHECKING:
    from tests.system.conftest import Unprivileged

__all__ = ["shared_folder", "unprivileged"]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can lock somebody out")

DAEMON = 1
"""Has an account on every machine."""
STRANGER = 54321
"""Has none: the owner of a folder outside of a container."""


@pytest.fixture
def shop(shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of another user's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(shared_folder / "state"))
    (shared_folder / "state").mkdir()
    os.chown(shared_folder / "state", NOBODY, NOBODY)
    (root := shared_folder / "shop").mkdir()
    os.chown(root, DAEMON, DAEMON)
    return root


class TestRoot:
    def test_starts_nothing_in_a_fresh_folder_of_another_user_s(self, shop: Path) -> None:
        begin(str(shop))
        with pytest.raises(SupervisorError, match="belongs to user daemon") as refused:
            connect_or_start(shop)

        assert begun == {}
        assert list(shop.iterdir()) == []
        assert "run the command as daemon, without sudo" in str(refused.value.hint)

    def test_starts_there_once_it_has_said_that_it_means_to(self, shop: Path) -> None:
        with pytest.raises(SupervisorError) as refused:
            refuse_foreign(shop)

        subprocess.run(["sh", "-ec", str(refused.value.hint).rpartition(": ")[2]], check=True)

        refuse_foreign(shop)

    @pytest.mark.parametrize("owner", [STRANGER, ownership.OVERFLOW_UID])
    def test_may_work_in_a_folder_whose_owner_is_nobody_here(self, shop: Path, owner: int) -> None:
        os.chown(shop, owner, owner)

        refuse_foreign(shop)


class TestTheOwner:
    @pytest.fixture
    def shop(self, shop: Path) -> Path:
        """A checkout that root has started all the same."""
        claim(shop)
        (shop / ".env.runtime").write_text("DATABASE_URL=postgresql://…\n")
        (shop / ".env.runtime").chmod(0o600)
        os.chown(shop, NOBODY, NOBODY)
        return shop

    def test_is_told_how_to_get_the_checkout_back(self, shop: Path, unprivileged: Unprivileged) -> None:
        def refused() -> str:
            try:
                refuse_foreign(shop)
            except SupervisorError as error:
                return f"{error.message}\n{error.hint}"
            return ""

        said = unprivileged(refused)

        assert "was started by root once (with sudo?)" in said
        [command] = [line for line in said.splitlines() if line.startswith("then make it yours again: sudo ")]
        subprocess.run(["sh", "-ec", command.partition("sudo ")[2]], check=True)
        assert unprivileged(refused) == ""
        assert {path.owner() for path in (shop, *shop.rglob("*"))} == {"nobody"}

    def test_gets_it_back_by_doctor_without_sudo(self, shop: Path, unprivileged: Unprivileged) -> None:
        def cured() -> list[str]:
            # The other checks look into the state of root, which this test leaves where it is.
            found = files.of_root(shop, ownership.left_by_root(str(shop)))
            assert found.cure is not None
            said = found.cure.carry_out()
            refuse_foreign(shop)
            (shop / ".devinit").mkdir()
            return [found.problem, said]

        problem, said = unprivileged(cured)

        assert problem == "root has started this project (with sudo?) and owns .devinit and .env.runtime"
        assert said.startswith(".devinit.of-root, .env.runtime.of-root: ")


COMMANDS = [
    ("status",),
    ("check",),
    ("wait",),
    ("stop",),
    ("logs",),
    ("logs", "-f"),
    ("logs", "--path"),
    ("events",),
    ("events", "-f"),
    ("open", "web"),
    ("ports",),
    ("ports", "reset", "all"),
    ("why", "web"),
    ("env",),
    ("run", "--", "true"),
    ("restart",),
    ("start", "-d"),
]
"""What asks about the services of a project, or orders something for them."""


class TestAnotherUser:
    @pytest.fixture
    def theirs(self, tmp_path: Path) -> Path:
        """A checkout that another user has started: what runs there is in no place of ours."""
        (tmp_path / "devinit.toml").write_text(
            '[services.web]\ncommand = "sleep 1000"\nready = { after = 0.01 }\n'
        )
        (tmp_path / ".devinit").mkdir()
        os.chown(tmp_path / ".devinit", NOBODY, NOBODY)
        return tmp_path

    @pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
    def test_is_named_by_every_command_instead_of_reporting_that_nothing_runs(
        self, theirs: Path, words: tuple[str, ...]
    ) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "devinit", "-C", str(theirs), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert (done.returncode, done.stdout) == (SupervisorError.exit_code, "")
        assert f"{theirs} was started by user nobody" in done.stderr
        assert "run the command as nobody: sudo -u nobody devinit …" in done.stderr

    def test_is_not_said_to_run_nothing(self, theirs: Path) -> None:
        with pytest.raises(SupervisorError) as refused:
            refuse_foreign(theirs)

        # Root has not looked.
        assert "listens" not in str(refused.value)
        assert "where `sudo -u nobody devinit status` says that nothing runs" in str(refused.value.hint)

    def test_is_named_by_the_doctor_who_sees_nothing_of_it(self, theirs: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "devinit", "-C", str(theirs), "doctor"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert "user nobody has started this project" in done.stdout
        assert "keeps its logs and data in" not in done.stdout

    def test_is_the_problem_that_an_application_is_told(self, theirs: Path) -> None:
        with pytest.raises(TimeoutError, match=f"{theirs} was started by user nobody"):
            wait_for("web", 0.0, theirs)

    def test_is_named_to_an_ordinary_user_too(self, shop: Path, unprivileged: Unprivileged) -> None:
        (shop / ".devinit").mkdir()
        os.chown(shop / ".devinit", DAEMON, DAEMON)

        def refused() -> str:
            try:
                return str(connect_to_running(str(shop)))
            except SupervisorError as error:
                return error.message

        assert unprivileged(refused) == f"{shop} was started by user daemon, whose supervisor you may not use"
