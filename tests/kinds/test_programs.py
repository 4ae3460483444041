"""Specifies `devinit.kinds.programs`: server programs are proven, chosen and remembered."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from devinit.errors import ProviderError, StateFileError
from devinit.kinds.programs import (
    REMEMBERED,
    Candidate,
    Origin,
    Remembered,
    first_accepted,
    make_private,
    package_folder,
    proven,
    recall,
    remember,
    unchanged,
)


def a_program(path: Path, says: str, code: int = 0) -> Candidate:
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return Candidate(Origin.SYSTEM, path)


class TestAProgram:
    @pytest.mark.parametrize(
        ("says", "flavour", "version", "major"),
        [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "postgres", "15.18", 15),
            ("postgres (PostgreSQL) 19beta2", "postgres", "19beta2", 19),
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", "redis", "7.0.15", 7),
            ("Valkey server v=9.1.2 sha=00000000:1", "valkey", "9.1.2", 9),
        ],
    )
    def test_is_what_it_says_it_is(
        self, tmp_path: Path, says: str, flavour: str, version: str, major: int
    ) -> None:
        found = proven(a_program(tmp_path / "server", says))

        assert found is not None
        assert (found.flavour, found.version, found.major) == (flavour, version, major)

    @pytest.mark.parametrize(("says", "code"), [("hello", 0), ("postgres (PostgreSQL) 15.1", 1), ("", 0)])
    def test_is_none_when_it_fails_or_says_something_else(self, tmp_path: Path, says: str, code: int) -> None:
        assert proven(a_program(tmp_path / "server", says, code)) is None

    def test_is_unknown_when_a_limit_keeps_every_program_from_running(self, tmp_path: Path) -> None:
        server = a_program(tmp_path / "server", "postgres (PostgreSQL) 16.2")
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = [os.open(os.devnull, os.O_RDONLY) for _ in range(3)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (used[-1] + 1, limits[1]))
        try:
            with pytest.raises(ProviderError, match="cannot be run: Too many open files"):
                proven(server)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            for descriptor in used:
                os.close(descriptor)

    def test_is_none_when_it_cannot_be_executed(self, tmp_path: Path) -> None:
        (tmp_path / "server").write_bytes(b"\x7fELF for another machine")
        (tmp_path / "server").chmod(0o755)

        assert proven(Candidate(Origin.SYSTEM, tmp_path / "server")) is None
        assert proven(Candidate(Origin.SYSTEM, tmp_path / "missing")) is None


class TestTheChoice:
    def test_is_the_first_that_is_accepted(self, tmp_path: Path) -> None:
        candidates = [
            a_program(tmp_path / f"server{major}", f"postgres (PostgreSQL) {major}.1")
            for major in (18, 16, 15)
        ]

        chosen, seen = first_accepted(candidates, lambda program: program.major < 18)

        assert chosen is not None
        assert chosen.major == 16
        assert [program.major for program in seen] == [18, 16]

    def test_looks_at_a_program_once_whatever_its_names(self, tmp_path: Path) -> None:
        candidate = a_program(tmp_path / "server", "postgres (PostgreSQL) 15.1")
        (tmp_path / "link").symlink_to(tmp_path / "server")

        _, seen = first_accepted([candidate, Candidate(Origin.SYSTEM, tmp_path / "link")], lambda _: False)

        assert len(seen) == 1


class TestWhatIsRemembered:
    def test_comes_back_as_it_was(self, tmp_path: Path) -> None:
        program = proven(a_program(tmp_path / "server", "Valkey server v=9.1.2"))
        assert program is not None

        remember(tmp_path / "data" / "redis", Remembered(program=program, explicit="/opt"))

        assert recall(tmp_path / "data" / "redis") == Remembered(program=program, explicit="/opt")
        assert (tmp_path / "data" / "redis").stat().st_mode & 0o777 == 0o700

    def test_is_nothing_at_first(self, tmp_path: Path) -> None:
        assert recall(tmp_path) is None

    def test_is_refused_by_name_when_it_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / REMEMBERED).write_text("{")

        with pytest.raises(StateFileError, match=REMEMBERED) as error:
            recall(tmp_path)

        assert "the data stays" in str(error.value.hint)

    def test_no_longer_holds_when_the_program_was_replaced(self, tmp_path: Path) -> None:
        program = proven(a_program(tmp_path / "server", "Valkey server v=9.1.2"))
        assert program is not None
        assert unchanged(program)

        a_program(tmp_path / "server", "Valkey server v=9.1.30")

        assert not unchanged(program)

    def test_lies_in_folders_that_other_users_cannot_enter_whatever_the_umask(self, tmp_path: Path) -> None:
        home = tmp_path / "data" / "redis"
        before = os.umask(0)
        try:
            make_private(home)
        finally:
            os.umask(before)

        assert [path.stat().st_mode & 0o777 for path in (home, home.parent)] == [0o700, 0o700]

    def test_no_longer_holds_when_the_program_is_gone(self, tmp_path: Path) -> None:
        program = proven(a_program(tmp_path / "server", "Valkey server v=9.1.2"))
        assert program is not None
        program.path.unlink()

        assert not unchanged(program)

    def test_cannot_be_written_where_a_file_has_the_folders_name(self, tmp_path: Path) -> None:
        program = proven(a_program(tmp_path / "server", "Valkey server v=9.1.2"))
        assert program is not None
        (tmp_path / "data").touch()

        with pytest.raises(ProviderError, match="data/redis cannot be used: Not a directory"):
            remember(tmp_path / "data" / "redis", Remembered(program=program))


class TestAWheel:
    def test_is_found_without_being_imported(self) -> None:
        assert (package_folder("msgspec") or Path()).is_dir()

    def test_is_none_when_it_is_not_installed(self) -> None:
        assert package_folder("no_such_package") is None
