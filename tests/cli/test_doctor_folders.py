"""Specifies what `devinit doctor` does about devinit's own folders where root made them, or they cannot be used."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.cli.doctor import machine
from devinit.errors import StateFileError
from devinit.system import paths
from devinit.system.permissions import left_in_ours
from tests.system.conftest import NOBODY, shared_folder, unprivileged

if TYPE_CHECKING:
    from tests.cli.conftest import Shop
    from tests.system.conftest import Unprivileged

__all__ = ["shared_folder", "unprivileged"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave folders of its own behind")


@pytest.fixture
def home(shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user who is not root, and has no folder for sockets but the one in it."""
    monkeypatch.setenv("HOME", str(shared_folder))
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(shared_folder / "run"))
    # That user may not read where what is loaded for an error lies.
    with pytest.raises(StateFileError):
        raise paths.unusable("/nowhere", PermissionError(13, "denied"))
    left_in_ours("/nowhere")
    for folder in (".local", ".local/state", "run"):
        (shared_folder / folder).mkdir(mode=0o700)
    for path in (shared_folder, *shared_folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    return shared_folder


def found() -> list[tuple[str, str, str | None]]:
    """Return problem, advice and the cure's offer of each finding about our folders."""
    return [(each.problem, each.advice, each.cure.offer if each.cure else None) for each in machine.folders()]


def cured() -> list[str]:
    """Do what `--fix` does, and return what it says."""
    return [each.cure.carry_out() for each in machine.folders() if each.cure]


@needs_root
class TestAFolderThatRootMade:
    @pytest.mark.parametrize("name", [".local/state/devinit", "run/devinit"])
    def test_for_devinit_alone_is_moved_aside(
        self, home: Path, unprivileged: Unprivileged, name: str
    ) -> None:
        (folder := home / name).mkdir(mode=0o700)
        (folder / "of root").touch()

        [said] = unprivileged(cured)

        assert said == f"{folder} is devinit.of-root now: delete that with sudo when you like"
        assert (folder.parent / "devinit.of-root" / "of root").exists()
        assert unprivileged(found) == []

    @pytest.mark.parametrize("name", [".local/state/devinit", "run/devinit"])
    def test_is_given_back_by_the_command_in_the_advice(
        self, home: Path, unprivileged: Unprivileged, name: str
    ) -> None:
        (folder := home / name).mkdir(mode=0o700)

        [(_, advice, _)] = unprivileged(found)

        assert advice.endswith(f": sudo chown -R nobody {folder}")
        follow(advice)
        assert unprivileged(found) == []

    def test_around_it_is_moved_aside_when_there_is_nothing_else_in_it(
        self, home: Path, unprivileged: Unprivileged
    ) -> None:
        (home / ".local/state").rmdir()
        (home / ".local/state/devinit").mkdir(parents=True)

        assert len(unprivileged(cured)) == 1

        assert (home / ".local/state.of-root/devinit").is_dir()
        assert unprivileged(found) == []

    @pytest.mark.parametrize(("mode", "beside"), [(0o755, "other"), (0o700, "devinit")])
    def test_around_it_stays_with_what_others_may_have_there(
        self, home: Path, unprivileged: Unprivileged, mode: int, beside: str
    ) -> None:
        state = home / ".local/state"
        os.chown(state, 0, 0)
        (state / beside).mkdir()
        state.chmod(mode)

        [(_, advice, cure)] = unprivileged(found)

        assert cure is None
        assert advice.endswith(f": sudo chown -R nobody {state}")
        follow(advice)
        assert unprivileged(found) == []


class TestAFolderThatCannotBeUsed:
    def test_is_the_only_finding_that_it_causes(self, shop: Shop) -> None:
        shop.service("web")
        (state := Path(os.environ["XDG_STATE_HOME"], "devinit")).mkdir(parents=True, exist_ok=True)
        state.chmod(0o777)

        said = shop("doctor", "--json")

        state.chmod(0o700)
        assert said.returncode == 1, said
        [finding] = json.loads(said.stdout)["findings"]
        assert (finding["check"], finding["cure"]) == ("folders", None)
        assert "other users can write into it" in finding["problem"]


def follow(advice: str) -> None:
    """Run the command at the end of an advice, as a person would who may use sudo."""
    command = advice.rpartition(": ")[2].replace("sudo ", "")
    subprocess.run(["sh", "-ec", command], check=True)


class TestWhatARepositoryPutsInThePlaceOfOurFolder:
    @pytest.mark.parametrize("kind", ["link", "file", "pipe"])
    def test_is_a_finding_with_the_words_of_the_start_that_is_refused(
        self, shop: Shop, tmp_path: Path, kind: str
    ) -> None:
        shop.service("worker", ready={"after": 0.1})
        own = shop.root / ".devinit"
        if kind == "link":
            own.symlink_to(tmp_path)
        elif kind == "file":
            own.write_text("")
        else:
            os.mkfifo(own)

        refusal = shop("start").stderr
        done = shop("doctor", "--json")
        findings = json.loads(done.stdout)["findings"]

        assert done.returncode == 1
        (finding,) = [each for each in findings if str(own) in each["problem"]]
        assert finding["check"] == "state"
        assert finding["problem"] in refusal
        assert finding["advice"] in refusal

    def test_is_a_finding_also_among_the_data_of_an_earlier_version(self, shop: Shop, tmp_path: Path) -> None:
        shop.service("worker", ready={"after": 0.1})
        data = shop.root / ".devinit" / "data" / "postgres"
        data.mkdir(parents=True, mode=0o700)
        (data / "PG_VERSION").symlink_to(tmp_path)

        refusal = shop("start").stderr
        done = shop("doctor", "--json")
        findings = [each for each in json.loads(done.stdout)["findings"] if each["check"] == "leftovers"]

        assert done.returncode == 1
        (finding,) = findings
        assert finding["problem"] in refusal
        assert not finding["harmless"]


@pytest.mark.parametrize("name", [".ports.json", ".env.runtime"])
def test_a_file_that_is_mounted_by_itself_is_a_finding(
    shop: Shop, tmp_path: Path, port: int, name: str
) -> None:
    """As a container does it: a start that replaces the file fails."""
    shop.service("web", port=port)
    path, other = shop.root / name, tmp_path / "other"
    path.touch()
    other.write_text("{}\n" if name == ".ports.json" else "")
    mounted = ["mount", "--bind", str(other), str(path)]
    if os.geteuid() != 0 or subprocess.run(mounted, capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        refusal, done = shop("start", "-d"), shop("doctor", "--json")
    finally:
        subprocess.run(["umount", str(path)], check=True)

    assert refusal.returncode != 0
    assert "mounted by itself" in refusal.stderr
    findings = json.loads(done.stdout)["findings"]
    assert any(f"{path} is mounted by itself" in each["problem"] for each in findings)
