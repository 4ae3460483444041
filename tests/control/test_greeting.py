"""Specifies what follows from the greeting of a supervisor: who is older, and who understands whom."""

from __future__ import annotations

import os
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import msgspec
import pytest

from devinit import __version__
from devinit.control import greeting as module
from devinit.control.greeting import WIRE, Greeting, greeting_of, in_order, is_same_folder

if TYPE_CHECKING:
    from pathlib import Path

RISING = ["0.1.0.dev1", "0.1.0", "0.1.1rc1", "0.1.1", "0.2", "0.10.0", "1.0rc2", "1.0", "1.0.0.1", "2"]


class TestVersions:
    def test_are_in_order(self) -> None:
        assert all(in_order(one) < in_order(other) for one, other in pairwise(RISING))

    @pytest.mark.parametrize(("one", "other"), [("1.0", "1.0.0"), ("1.0+local", "1.0"), ("1.0rc1", "1.0rc2")])
    def test_that_cannot_be_told_apart_are_alike(self, one: str, other: str) -> None:
        assert in_order(one) == in_order(other)

    @pytest.mark.parametrize("version", ["", "unknown", ".", "9" * 10000, "1.ü", "-1"])
    def test_that_are_none_are_in_order_all_the_same(self, version: str) -> None:
        assert len(in_order(version)) == len(in_order("1.0"))


class TestAGreeting:
    def test_of_our_own_version_is_neither_older_nor_newer(self, tmp_path: Path) -> None:
        greeting = Greeting(greeting_of(tmp_path))

        assert (greeting.is_older, greeting.is_newer, greeting.is_understood) == (False, False, True)
        assert (greeting.root, greeting.pid) == (os.path.realpath(tmp_path), os.getpid())
        assert greeting.beside_ours() == f"the supervisor and this command are both devinit {__version__}"

    def test_of_the_first_wire_is_older_and_understood(self) -> None:
        greeting = Greeting({"version": "0.1.0"})

        assert (greeting.is_older, greeting.is_newer, greeting.is_understood) == (True, False, True)
        assert (greeting.wire, greeting.root, greeting.pid) == (1, "", 0)

    def test_tells_both_versions_and_both_wires(self) -> None:
        said = Greeting({"version": "9.0", "wire": WIRE + 1}).beside_ours()

        assert said == (
            f"the supervisor is devinit 9.0 (wire {WIRE + 1}), this command is devinit {__version__} (wire {WIRE})"
        )

    @pytest.mark.parametrize(("oldest_command", "understood"), [(1, True), (WIRE, True), (WIRE + 1, False)])
    def test_of_a_newer_one_is_understood_as_long_as_it_serves_us(
        self, oldest_command: int, *, understood: bool
    ) -> None:
        greeting = Greeting({"version": "9.0", "wire": WIRE + 3, "oldest_command": oldest_command})

        assert (greeting.is_newer, greeting.is_older) == (True, False)
        assert greeting.is_understood is understood

    def test_of_one_that_is_too_old_is_not_understood(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "OLDEST_SUPERVISOR", 2)

        assert not Greeting({"version": "0.1.0"}).is_understood

    @pytest.mark.parametrize("value", [None, True, "2", 2.0, [], {}])
    def test_with_something_else_in_it_is_read_as_the_first(self, value: object) -> None:
        greeting = Greeting({"version": 3, "root": 4, "wire": value, "oldest_command": value, "pid": value})

        assert (greeting.version, greeting.root, greeting.wire, greeting.pid) == ("unknown", "", 1, 0)

    def test_makes_of_two_versions_one_the_older_at_most(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Or two installations that share a project would replace each other's supervisors for ever."""
        sides = [(version, wire) for version in RISING for wire in (1, 2, 3)]
        for (version, wire), (other, other_wire) in permutations(sides, 2):
            replaces = []
            for ours, theirs in (
                ((version, wire), (other, other_wire)),
                ((other, other_wire), (version, wire)),
            ):
                monkeypatch.setattr(module, "__version__", ours[0])
                monkeypatch.setattr(module, "WIRE", ours[1])
                replaces.append(Greeting({"version": theirs[0], "wire": theirs[1]}).is_older)
            assert replaces != [True, True]


class TestAFolder:
    def test_is_the_same_through_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")

        assert is_same_folder(str(tmp_path / "link"), os.path.realpath(tmp_path / "real"))

    def test_whose_name_is_no_text_is_the_same_too(self, tmp_path: Path) -> None:
        one, other = (os.fsdecode(os.fsencode(tmp_path) + name) for name in (b"/caf\xe9", b"/caf\xe8"))
        os.mkdir(one)  # noqa: PTH102  pathlib's own
        root = greeting_of(one)["root"]

        assert msgspec.json.decode(msgspec.json.encode(root)) == root
        assert is_same_folder(one, root)
        assert not is_same_folder(other, root)

    def test_that_is_gone_is_the_same_by_its_name(self, tmp_path: Path) -> None:
        assert is_same_folder(str(tmp_path / "gone"), os.path.realpath(tmp_path / "gone"))

    def test_beside_it_is_another(self, tmp_path: Path) -> None:
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()

        assert not is_same_folder(str(tmp_path / "one"), str(tmp_path / "two"))
        assert not is_same_folder(str(tmp_path / "one"), str(tmp_path / "gone"))
