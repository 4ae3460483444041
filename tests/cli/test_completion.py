"""Specifies completion with the shells themselves."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from devinit.cli.completion import SCRIPTS

if TYPE_CHECKING:
    from tests.cli.conftest import Shop

BASH = """
source <(devinit completion bash)
words=("$@")
COMP_WORDS=("${words[@]}")
COMP_CWORD=$((${#words[@]} - 1))
_devinit
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def project(shop: Shop, port: int, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A project, with `devinit` on PATH."""
    shop.service("backend", port=port)
    shop.service("frontend", port=port + 1)
    with (shop.root / "devinit.toml").open("a") as file:
        file.write(f'\n[services.database]\nprovider = "postgres"\nport = {port + 2}\n')
        file.write(
            "\n[profiles.lean.services.backend]\nwatch = []\n[profiles.full.services.backend]\nwatch = []\n"
        )
        file.write('[tasks.migrate]\ncommand = "x"\n')
    (shop.root / "Makefile").write_text("X := $(shell touch harmed)\nclean:\n\trm x\n")
    programs = shop.root.parent / "bin"
    programs.mkdir()
    (programs / "devinit").write_text(f'#!/bin/sh\nexec {sys.executable} -m devinit "$@"\n')
    (programs / "devinit").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return shop


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


class TestBash:
    @pytest.mark.parametrize(
        ("words", "offered"),
        [
            (["devinit", "sto"], ["stop"]),
            (["devinit", "export", "proc"], ["process-compose", "procfile"]),
            (["devinit", "start", "b"], ["backend"]),
            (["devinit", "logs", ""], ["all", "backend", "frontend", "database"]),
            (["devinit", "start", "--forc"], ["--force"]),
            (["devinit", "start", "--on-conflict", "m"], ["move"]),
            (["devinit", "ports", "s"], ["set"]),
            (["devinit", "ports", "w"], ["who"]),
            (["devinit", "ports", "set", ""], ["backend", "frontend", "database"]),
            (["devinit", "ports", "set", "backend", ""], []),
            (["devinit", "ports", "who", ""], []),
            (["devinit", "ports", "reset", "b"], ["backend"]),
            (["devinit", "open", ""], ["backend", "frontend"]),
            (["devinit", "start", "--profile", ""], ["lean", "full"]),
            (["devinit", "run", ""], ["migrate", "clean"]),
            (["devinit", "run", "m"], ["migrate"]),
            (["devinit", "run", "migrate", "c"], []),
            (["devinit", "run", "-s", "f"], ["frontend"]),
            (["devinit", "exec", "f"], ["frontend"]),
            (["devinit", "exec", "frontend", "m"], []),
            (["devinit", "completion", "f"], ["fish"]),
            (["devinit", "-C", "$(touch harmed)", "logs", "b"], []),
            (["devinit", "-C", "`touch harmed`", "logs", "b"], []),
            (["devinit", "-C", ".;touch harmed", "logs", "b"], []),
            (["devinit", "-C", ".)\ntouch harmed #", "logs", "b"], []),
            (["devinit", "-C", "[a[$(touch harmed)]]=.", "logs", "b"], []),
            (["devinit", "-C", "'.'", "logs", "b"], ["backend"]),
            (["devinit", "-C", '"."', "logs", "b"], ["backend"]),
        ],
    )
    def test_offers(self, project: Shop, words: list[str], offered: list[str]) -> None:
        done = project.run(["bash", "-c", BASH, "bash", *words])

        assert done.stdout.split() == offered
        assert not (project.root / "harmed").exists()

    def test_knows_the_services_of_another_project(self, project: Shop) -> None:
        place = str(project.root).replace(" ", "\\ ")

        done = project.run(["bash", "-c", "cd /\n" + BASH, "bash", "devinit", "-C", place, "why", "f"])

        assert done.stdout.split() == ["frontend"]


@needs("zsh")
class TestZsh:
    def test_offers_commands_services_options_and_values(self, project: Shop) -> None:
        child = pexpect.spawn(
            "zsh", ["-f"], cwd=str(project.root), encoding="utf-8", timeout=20, dimensions=(24, 200)
        )
        child.sendline(
            "PS1='> '; autoload -Uz compinit; compinit -u -D; source <(devinit completion zsh); echo go''es"
        )
        child.expect("goes")

        for typed, completed in [
            ("devinit sto", "devinit stop"),
            ("devinit why fr", "frontend"),
            ("devinit start --forc", "--force"),
            ("devinit start --on-conflict ki", "kill"),
            ("devinit start --profile le", "lean"),
            ("devinit ports set fr", "frontend"),
            ("devinit open fr", "frontend"),
            ("devinit run mi", "grate"),
            ("devinit run -s fr", "frontend"),
            ("devinit exec fr", "frontend"),
        ]:
            child.send(f"{typed}\t")
            child.expect(completed)
            child.send("\x15")  # clears the line; an interrupt would end the completion that follows, too
        child.close(force=True)


@needs("fish")
class TestFish:
    def test_offers_commands_services_options_and_values(self, project: Shop) -> None:
        asked = "; ".join(
            f'complete -C "devinit {words}"'
            for words in (
                "sto",
                "why fr",
                "start --forc",
                "start --on-conflict ki",
                "start --profile le",
                "ports set fr",
                "open fr",
                "run mi",
                "run --service fr",
                "exec fr",
            )
        )

        done = project.run(["fish", "-c", f"devinit completion fish | source; {asked}"])

        assert [line.split()[0] for line in done.stdout.splitlines()] == [
            "stop",
            "frontend",
            "--force",
            "kill",
            "lean",
            "frontend",
            "frontend",
            "migrate",
            "frontend",
            "frontend",
        ]


STARTS = {
    "bash": ["bash", "--norc", "--noprofile"],
    "zsh": ["zsh", "-f"],
    "fish": ["fish", "--no-config"],
}
SOURCES = {
    "bash": "bind 'set enable-bracketed-paste off'; source <(devinit completion bash); echo go''es",
    "zsh": "autoload -Uz compinit; compinit -u -D; source <(devinit completion zsh); echo go''es",
    "fish": "devinit completion fish | source; echo go''es",
}
STAND_IN = """#!/bin/sh
if [ "$1 $2" = "completion profiles" ]; then cat offered; exit; fi
if [ "$1" = completion ]; then exec {python} -m devinit "$@"; fi
printf '%s\\n' "$3" > given
printf 'was-%s\\n' run
"""
HOSTILE = [
    "$(touch harmed)",
    "`touch harmed`",
    "$(touch${IFS}harmed)",
    "a;touch harmed",
    "a&touch harmed",
    "a|touch harmed",
    "a>harmed",
    "(touch harmed)",
    "<(touch harmed)",
    "${harmed:=1}",
    "full stack",
    "it's",
    'a"b',
    "*",
    "[a-z]*",
    "{a,b}",
    "#a",
    "!!",
    "a\\b",
    "=ls",
    "^a^b",
]


class TestNamesOfARepository:
    @pytest.mark.parametrize("shell", SCRIPTS)
    def test_run_nothing_and_arrive_as_they_are(self, project: Shop, shell: str) -> None:
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        program = project.root.parent / "bin" / "devinit"
        program.write_text(STAND_IN.format(python=sys.executable))
        start, *flags = STARTS[shell]
        child = pexpect.spawn(
            start, flags, cwd=str(project.root), encoding="utf-8", timeout=20, dimensions=(24, 200)
        )
        child.sendline(SOURCES[shell])
        child.expect("goes")
        given = {}

        for name in HOSTILE:
            (project.root / "offered").write_text(name + "\n")
            child.send("devinit start --profile \t\r")
            child.expect("was-run")
            given[name] = (project.root / "given").read_text().removesuffix("\n")
        child.close(force=True)

        assert given == {name: name for name in HOSTILE}
        assert not (project.root / "harmed").exists()

    def test_are_offered_by_devinit_only_where_no_shell_sees_more_than_a_word(self, project: Shop) -> None:
        names = [
            *HOSTILE,
            "",
            "~",
            "-x",
            "--help",
            "a\nb",
            "a\tb",
            "a\x1b[2Jb",
            "a\u202eb",
            "päge",
            "v1.2",
            "a@b",
        ]
        with (project.root / "devinit.toml").open("a") as file:
            file.writelines(f"\n[profiles.{json.dumps(name)}]\n" for name in names)

        done = project.run(["devinit", "completion", "profiles"])

        assert done.stdout.splitlines() == ["lean", "full", "full stack", "päge", "v1.2", "a@b"]


class TestEveryScript:
    @pytest.mark.parametrize("shell", SCRIPTS)
    def test_is_one_that_the_shell_can_read(self, shell: str, tmp_path: Path, project: Shop) -> None:
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        script = tmp_path / "script"
        script.write_text(SCRIPTS[shell]())

        done = project.run([shell, "-n", str(script)])

        assert (done.returncode, done.stderr) == (0, "")
