"""Specifies how a command line of compose is read: its options, its command, the rest."""

from __future__ import annotations

from devinit.cli.compose import split
from devinit.cli.composed.words import profiles_of, spoken_in


class TestACommandLine:
    def test_has_options_in_front_of_its_command(self) -> None:
        found = spoken_in(
            [
                "-f",
                "a.yml",
                "--file=b.yml",
                "-fc.yml",
                "-p",
                "shop",
                "--profile",
                "dev",
                "--ansi",
                "never",
                "up",
                "-d",
                "web",
            ]
        )

        assert found.values("--file") == ["a.yml", "b.yml", "c.yml"]
        assert found.values("--project-name") == ["shop"]
        assert (found.command, found.rest) == ("up", ("-d", "web"))
        assert found.without("--file", "--project-name") == ["--profile", "dev", "--ansi", "never"]

    def test_keeps_switches_and_what_it_does_not_know(self) -> None:
        found = spoken_in(["--compatibility", "--new=thing", "ps", "-f"])

        assert found.without() == ["--compatibility", "--new=thing"]
        assert (found.command, found.rest) == ("ps", ("-f",))

    def test_may_have_no_command(self) -> None:
        assert spoken_in(["--version"]).command == ""
        assert spoken_in(["-f"]).command == ""

    def test_is_behind_dashes_or_not(self) -> None:
        assert split(["-C", "dir", "--", "up", "-d"]) == (["-C", "dir"], ["up", "-d"])
        assert split(["up", "--", "x"]) == ([], ["up", "--", "x"])


def test_profiles_are_those_of_the_command_and_of_the_environment() -> None:
    spoken = spoken_in(["--profile", "dev", "up"])

    assert profiles_of(spoken, {"COMPOSE_PROFILES": "a, b"}) == {"dev", "a", "b"}
