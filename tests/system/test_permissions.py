"""Specifies the help against a refusal of the system: following it helps."""

from __future__ import annotations

import codecs
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import StateFileError
from devinit.system import paths
from devinit.system.birth import birth_of
from devinit.system.checkout import claim
from devinit.system.files import write_atomically
from tests.system.conftest import NOBODY, shared_folder, unprivileged

if TYPE_CHECKING:
    from tests.system.conftest import Unprivileged

__all__ = ["shared_folder", "unprivileged"]

AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can be somebody else's trouble")


def hint_of(folder: Path) -> str:
    """Write a file, and return the help when that is refused; empty when it is not."""
    try:
        write_atomically(folder / "state.json", "new")
    except StateFileError as error:
        return error.hint or "no help"
    return ""


def follow(hint: str) -> None:
    """Run the command in a hint, as a person would who may use sudo."""
    command = hint.rpartition(": ")[2]
    subprocess.run(["sh", "-ec", command.replace("sudo ", "")], check=True)


@needs_root
class TestAFolderInOurOwn:
    @pytest.fixture
    def home(self, shared_folder: Path) -> Path:
        """The home of the user who is refused."""
        os.chown(shared_folder, NOBODY, NOBODY)
        return shared_folder

    def test_that_sudo_left_is_given_back_with_all_that_is_in_it(
        self, home: Path, unprivileged: Unprivileged
    ) -> None:
        (folder := home / ".local/my state").mkdir(parents=True, mode=0o700)
        (home / ".local").chmod(0o700)

        hint = unprivileged(lambda: hint_of(folder))

        assert hint.endswith(f"sudo chown -R nobody {home}/.local")
        follow(hint)
        assert unprivileged(lambda: hint_of(folder)) == ""

    def test_whose_rights_were_taken_gets_them_back(self, home: Path, unprivileged: Unprivileged) -> None:
        (folder := home / "state").mkdir()
        os.chown(folder, NOBODY, NOBODY)
        folder.chmod(0o500)

        hint = unprivileged(lambda: hint_of(folder))

        follow(hint)
        assert hint.endswith(f"chmod u+rwx {folder}")
        assert unprivileged(lambda: hint_of(folder)) == ""

    def test_that_is_nowhere_near_is_not_given_to_us(self, unprivileged: Unprivileged) -> None:
        assert "chown" not in unprivileged(lambda: hint_of(Path("/usr/lib")))

    def test_of_a_checkout_is_given_back(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, unprivileged: Unprivileged
    ) -> None:
        (checkout := home / "shop").mkdir(mode=0o755)

        def refused() -> str:
            try:
                claim(checkout)
            except StateFileError as error:
                return error.hint or "no help"
            return ""

        monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
        # That user may not read where these lie.
        codecs.lookup("ascii")
        birth_of(str(checkout))
        hint = unprivileged(refused)

        follow(hint)
        assert unprivileged(refused) == ""


@needs_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed (util-linux)")
class TestRootWithoutTheRightToPassOverPermissions:
    def said(self, capabilities: str, code: str, *arguments: object) -> str:
        """Return what a program says that lacks these."""
        without = ("setpriv", "--bounding-set", capabilities, "--inh-caps", capabilities)
        done = subprocess.run(
            [*without, sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        if "setpriv:" in done.stderr:
            pytest.skip(f"no capability can be dropped here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def test_is_told_as_whom_it_works(self, shared_folder: Path, unprivileged: Unprivileged) -> None:
        os.chown(shared_folder, NOBODY, NOBODY)
        code = (
            "import sys; from pathlib import Path; from tests.system.test_permissions import hint_of; "
            "print(hint_of(Path(sys.argv[1])))"
        )

        hint = self.said("-dac_override", code, shared_folder)

        assert f"{shared_folder} belongs to uid {NOBODY}" in hint
        assert f"run devinit as uid {NOBODY}" in hint
        assert unprivileged(lambda: hint_of(shared_folder)) == ""

    def test_is_told_which_right_another_user_s_server_needs(self, shared_folder: Path) -> None:
        code = """
import sys; from pathlib import Path
from devinit.errors import ServiceError
from devinit.model.process import ProcessSpec, RunAs
from devinit.system.processes import spawn
user = int(sys.argv[2])
spec = ProcessSpec(argv=("/bin/true",), directory=Path(sys.argv[1]), environment={}, run_as=RunAs(user, user))
try:
    spawn(spec, output=1, stdin=0).wait(10)
    print("spawned")
except ServiceError as error:
    print(error.hint)
"""
        hint = self.said("-setuid,-setgid", code, shared_folder, NOBODY)

        assert "this root may not become nobody (capabilities SETUID and SETGID" in hint
        assert self.said("-net_raw", code, shared_folder, NOBODY) == "spawned"


class TestAFolderForSockets:
    @pytest.fixture
    def no_tmp(self, shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A /tmp in which nobody may write."""
        (closed := shared_folder / "tmp").mkdir()
        closed.chmod(0o555)
        (own := shared_folder / "own").mkdir(mode=0o700)
        if AS_ROOT:
            os.chown(own, NOBODY, NOBODY)
        monkeypatch.setattr(paths, "_TEMPORARY", str(closed))
        monkeypatch.setattr(paths, "_RUN_USER", str(closed))
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        monkeypatch.delenv("TMPDIR", raising=False)
        return own

    def test_in_a_temporary_folder_that_is_closed_names_the_variable_that_helps(
        self, no_tmp: Path, monkeypatch: pytest.MonkeyPatch, unprivileged: Unprivileged
    ) -> None:
        def refused() -> str:
            try:
                paths.runtime_directory()
            except StateFileError as error:
                return error.hint or "no help"
            return ""

        helps = "set XDG_RUNTIME_DIR to a folder of your own that you can write"
        if not AS_ROOT:
            helps = f"give yourself the right: chmod u+rwx {no_tmp.parent / 'tmp'}"
        assert unprivileged(refused) == helps
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(no_tmp))
        assert unprivileged(refused) == ""
