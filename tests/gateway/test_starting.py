"""Specifies what the gateway needs: a Caddy that is new enough, and a port that stays the same."""

from __future__ import annotations

import socket
import sys
import sysconfig
from pathlib import Path

import pytest

from devinit.errors import ConfigError
from devinit.gateway.caddy.program import find_caddy, parsed, version_of
from devinit.gateway.listening import FIRST, candidates, listen


def caddy(folder: Path, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "caddy"
    file.write_text(f"#!/bin/sh\necho asked >> {folder}/asked\necho '{says}'\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which Python has no Caddy beside it; return the folder on PATH."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python" / "bin" / "python"))
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path / "scripts"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    return tmp_path / "bin"


class TestCaddy:
    def test_is_refused_with_the_way_out_where_there_is_none(
        self, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(alone))

        with pytest.raises(ConfigError, match="which is not installed") as caught:
            find_caddy(tmp_path)

        assert "devinit[gateway]" in (caught.value.hint or "")

    def test_is_refused_when_it_is_as_old_as_debians(self, alone: Path, tmp_path: Path) -> None:
        caddy(alone, "2.6.2")

        with pytest.raises(ConfigError, match=r"2\.11 or newer: .*/bin/caddy is 2\.6\.2") as caught:
            find_caddy(tmp_path)

        assert "devinit[gateway]" in (caught.value.hint or "")

    def test_of_the_extra_counts_before_an_old_one_on_the_path(self, alone: Path, tmp_path: Path) -> None:
        caddy(alone, "2.6.2")
        ours = caddy(tmp_path / "scripts", "v2.11.7 h1:yj0Y=")

        assert find_caddy(tmp_path) == str(ours)

    def test_is_asked_for_its_version_once(self, tmp_path: Path) -> None:
        file = caddy(tmp_path / "bin", "v2.12.0")

        assert version_of(str(file), tmp_path) == version_of(str(file), tmp_path) == (2, 12, 0)
        assert (tmp_path / "bin" / "asked").read_text() == "asked\n"

    @pytest.mark.parametrize(
        ("said", "version"),
        [("v2.11.7 h1:x=", (2, 11, 7)), ("2.6.2\n", (2, 6, 2)), ("(devel)", ()), ("", ())],
    )
    def test_says_its_version_in_several_ways(self, said: str, version: tuple[int, ...]) -> None:
        assert parsed(said) == version


class TestThePort:
    def test_is_the_remembered_one_first_and_80_where_the_system_allows_it(self) -> None:
        assert list(candidates(7085, lowest=1024))[:3] == [7085, FIRST, FIRST + 1]
        assert list(candidates(None, lowest=1))[:2] == [80, FIRST]
        assert next(iter(candidates(80, lowest=1024))) == FIRST

    def test_is_held_on_both_loopback_addresses_and_nowhere_else(self, tmp_path: Path) -> None:
        listening = listen(tmp_path, 7090)
        try:
            addresses = {each.getsockname()[0] for each in listening.sockets}
            assert addresses <= {"127.0.0.1", "::1"}
            assert "127.0.0.1" in addresses
        finally:
            listening.close()

    def test_is_another_one_when_the_remembered_one_is_taken(self, tmp_path: Path) -> None:
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.1", 0))
            stranger.listen()
            taken = stranger.getsockname()[1]
            listening = listen(tmp_path, taken)
            listening.close()

        assert listening.port != taken

    def test_is_leased_so_that_no_project_is_given_it(self, tmp_path: Path) -> None:
        first = listen(tmp_path, 7091)
        try:
            second = listen(tmp_path, 7091)
            second.close()
        finally:
            first.close()

        assert (first.port, second.port != 7091) == (7091, True)
