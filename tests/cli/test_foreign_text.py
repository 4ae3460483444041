"""Specifies what of other people's text a terminal, a pipe and a program are shown: no commands, no secrets."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.cli.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.cli.conftest import Listen, Shop

TITLE = "\x1b]0;owned\x07"
CLEAR = "\x1b[2J"
RED = "\x1b[31m"
RIGHT_TO_LEFT = "\u202e"
MARK = "\u200f"
EVIL = f"a{TITLE}b{CLEAR}c{RED}d{RIGHT_TO_LEFT}e{MARK}f\x9b2Jg"
HARMLESS = "abcdef2Jg"
OWN = re.compile(r"\x1b\[[0-9;]*m")
"""Colours, which are ours: names are shown without them."""
NEVER = ("\x1b]", CLEAR, "\x9b", RIGHT_TO_LEFT, MARK)
SECRET = "hunter2hunter2"


def at_terminal(*words: str, directory: Path) -> str:
    """Return everything that a terminal receives from a command."""
    output = pexpect.run(
        " ".join([sys.executable, "-m", "devinit", *words]),
        cwd=str(directory),
        encoding="utf-8",
        timeout=PATIENCE,
    )
    return str(output)


def piped(*words: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devinit", *words],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A folder whose name is made of what a terminal obeys."""
    folder = tmp_path / EVIL
    folder.mkdir()
    return folder


class TestAFolderWhoseNameATerminalWouldObey:
    @pytest.mark.parametrize(
        "command", ["status", "start", "stop", "logs", "why web", "env", "doctor", "init --json"]
    )
    def test_is_named_without_that_at_a_terminal(self, evil: Path, command: str) -> None:
        shown = at_terminal(*command.split(), directory=evil)

        assert not [each for each in NEVER if each in shown]
        assert not [colour for colour in OWN.findall(shown) if f"c{colour}" in shown]

    def test_is_named_without_that_in_the_message_of_an_error(self, evil: Path) -> None:
        done = piped("status", directory=evil)

        assert done.returncode == 2
        assert f"/{HARMLESS} or above it" in done.stderr

    def test_is_named_without_that_when_its_configuration_is_broken(self, evil: Path) -> None:
        (evil / "devinit.toml").write_text("[services")

        shown = at_terminal("status", directory=evil)

        assert HARMLESS in shown
        assert not [each for each in (*NEVER, RED + "d") if each in shown]

    def test_is_the_same_to_a_program_and_safe_to_look_at(self, evil: Path) -> None:
        (evil / "devinit.toml").write_text('[services.web]\ncommand = "sleep 1000"\n')

        done = piped("status", "--json", directory=evil)

        assert json.loads(done.stdout)["root"] == str(evil)
        assert done.stdout.rstrip("\n").isprintable()


class TestWhatTheUserTyped:
    @pytest.mark.parametrize(
        "words", [[EVIL], ["status", EVIL], ["-C", EVIL, "status"], ["ports", "who", EVIL], [f"--{EVIL}"]]
    )
    def test_comes_back_without_what_a_terminal_would_obey(self, shop: Shop, words: list[str]) -> None:
        shop.service("web")

        done = piped(*words, directory=shop.root)

        assert done.returncode == 2
        assert not [each for each in (*NEVER, "\x1b") if each in done.stderr]


class TestASecretInAForeignCommandLine:
    @pytest.mark.parametrize(
        "words",
        [
            (f"--password={SECRET}",),
            ("--password", SECRET),
            ("--token", f"{SECRET} two words"),
            (f"postgresql://shop:{SECRET}@db/shop",),
            (f"Server=db;Password={SECRET};Encrypt=true",),
            (f"root:{SECRET}@tcp(db:3306)/shop",),
            ("x" * 30, f"RAILS_MASTER_KEY={SECRET}"),
            ("--masterauth", SECRET),
            ("redis-benchmark", "-a", SECRET),
            ("curl", "-su", f"ada:{SECRET}", "-H", f'Authorization: Digest response="{SECRET}"'),
            (f"https://b.s3.amazonaws.com/k?x=1&X-Amz-Signature={SECRET}",),
            (f"ghp_{SECRET}{SECRET}",),
            (f"{{ password: '{SECRET}' }}",),
        ],
        ids=[
            *(
                "=",
                "option",
                "words",
                "url",
                "dotnet",
                "go",
                "variable",
                "redis-server",
                "redis-benchmark",
                "curl",
            ),
            *("signed url", "token", "object"),
        ],
    )
    def test_is_hidden_from_whoever_asks_for_a_port(
        self, port: int, listen: Listen, tmp_path: Path, words: tuple[str, ...]
    ) -> None:
        stranger = listen(port, *words)

        told = piped("ports", "who", str(port), directory=tmp_path)
        report = piped("ports", "who", str(port), "--json", directory=tmp_path)

        [holder] = json.loads(report.stdout)["holders"]
        assert holder["identity"]["pid"] == stranger.pid
        assert len(holder["command"]) == len(words) + 3
        for text in (told.stdout, told.stderr, report.stdout):
            assert "***" in text or not text
            assert "hunter2" not in text
            assert "two words" not in text

    def test_is_hidden_from_a_start_and_the_holder_is_recognised_all_the_same(
        self, shop: Shop, port: int, listen: Listen
    ) -> None:
        shop.service("web", port=port)
        listen(port, "--password", SECRET)

        done = shop("start", "--json", "--on-conflict", "fail")
        moved = shop("start")

        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert events[-1]["conflicts"]
        assert "***" in done.stdout
        assert not [text for text in (done.stdout, done.stderr, moved.stdout, moved.stderr) if SECRET in text]
        assert shop.status()["web"]["mode"] == "moved"

    def test_is_hidden_in_the_dialogue_whose_answer_ends_exactly_that_process(
        self, shop: Shop, port: int, listen: Listen
    ) -> None:
        shop.service("web", port=port)
        stranger = listen(port, "--password", SECRET)
        terminal = shop.terminal("start", "-d")
        terminal.expect("What about port")

        asked = str(terminal.before)
        terminal.expect("abort")
        offered = str(terminal.before)
        terminal.send("\x1b[B\r")  # kill

        assert stranger.wait(timeout=PATIENCE) is not None
        terminal.expect("1 of 1 service")
        assert "***" in asked
        assert not [text for text in (asked, offered, str(terminal.before)) if "hunter" in text]


class TestASecretOfAService:
    def test_is_shown_by_env_and_by_nothing_else(self, shop: Shop, port: int) -> None:
        shop.service("web", "never", f"--api-key={SECRET}", port=port, env={"APP_KEY": f'"{SECRET}"'})
        path = shop.root / "devinit.toml"
        path.write_text(path.read_text() + f'\n[environment]\nMAILGUN_KEY = "{SECRET}"\n')

        start = shop("start", "--timeout", "1", "--json")
        texts = [start, *map(shop.__call__, ("status", "logs"))]
        texts += [shop(*words) for words in (("why", "web"), ("why", "web", "--json"), ("status", "--json"))]

        assert SECRET in shop("env").stdout
        assert "--api-key=***" in texts[3].stdout
        assert not [each for each in texts if SECRET in each.stdout + each.stderr]

    def test_is_hidden_in_what_it_printed_before_it_failed(self, shop: Shop) -> None:
        said = f"cannot log in with {{ password: '{SECRET}' }} and eyJhbGciOi.eyJzdWIi.{SECRET}"
        (shop.root / "fail.py").write_text(f"raise SystemExit({said!r})")
        shop.service("web", command=f"{sys.executable} fail.py", restart="never")

        texts = [shop("start", "--json"), *map(shop.__call__, ("status", "logs"))]
        texts += [shop(*words) for words in (("why", "web"), ("why", "web", "--json"), ("status", "--json"))]

        for each in (texts[2], texts[4]):
            assert "cannot log in with { password: '***' } and ***" in each.stdout
        assert not [each for each in texts if SECRET in each.stdout + each.stderr]
