"""A place that makes programs fail or run what is not the checkout's: a start warns of it, and doctor shows it."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import MakeShop, Shop

Json = Any  # what a command printed: asserted on, not modelled
VENV = (sys.executable, "-m", "venv", "--without-pip")


def environment(folder: Path) -> Path:
    subprocess.run([*VENV, str(folder / ".venv")], check=True, capture_output=True)
    return folder / ".venv"


def examined(shop: Shop) -> tuple[int, list[Json]]:
    """Return doctor's exit code, and what it finds of the surroundings."""
    said = shop("doctor", "--json")
    return said.returncode, [
        each for each in json.loads(said.stdout)["findings"] if each["check"] == "surroundings"
    ]


class TestAStart:
    def test_warns_of_a_copied_environment_with_the_way_to_make_a_new_one(self, make_shop: MakeShop) -> None:
        first, second = make_shop("first"), make_shop("second")
        original = environment(first.root)
        shutil.copytree(original, second.root / ".venv", symlinks=True)
        (second.root / "uv.lock").touch()
        second.service("web", ready={"after": 0.1})

        started = second("start")

        assert started.returncode == 0
        assert f"⚠ {second.root}/.venv is a copy of {original}" in started.stderr
        assert f"`rm -r {second.root}/.venv`, then `uv sync` in {second.root}" in started.stderr

    def test_warns_of_a_line_break_in_the_name_of_its_folder(self, make_shop: MakeShop) -> None:
        shop = make_shop("my\nshop")
        shop.service("web", command="sleep 1000", ready={"after": 0.1})

        started = shop("start")

        assert started.returncode == 0
        assert (
            r"my\nshop contains a line break: virtual environments and many programs fail" in started.stderr
        )


def advised(finding: Json) -> str:
    """Return the first command that a finding's advice names."""
    return str(finding["advice"].split("`")[1])


class TestTheDoctor:
    def test_shows_a_copied_environment_which_the_advice_removes(self, make_shop: MakeShop) -> None:
        first, second = make_shop("first"), make_shop("sec ond")
        shutil.copytree(environment(first.root), second.root / ".venv", symlinks=True)
        second.service("web", command="sleep 1000", ready={"after": 0.1}, setup=f"{shlex.join(VENV)} .venv")

        code, found = examined(second)

        [finding] = found
        assert code == 1
        assert f"{second.root}/.venv is a copy of {first.root}/.venv" in finding["problem"]
        subprocess.run(["sh", "-c", advised(finding)], check=True)
        assert second("start").returncode == 0
        assert str(second.root) in (second.root / ".venv" / "bin" / "activate").read_text()
        assert examined(second) == (0, [])

    def test_shows_a_script_with_windows_line_ends_which_the_advice_mends(self, shop: Shop) -> None:
        (shop.root / "set up.sh").write_bytes(b"true\r\n")
        shop.service("web", ready={"after": 0.1}, setup="sh 'set up.sh'")

        code, found = examined(shop)

        [finding] = found
        assert (code, finding["problem"][:15]) == (1, "web: set up.sh ")
        subprocess.run(["sh", "-c", advised(finding)], check=True, cwd=shop.root)
        assert examined(shop) == (0, [])
        assert shop("start").returncode == 0

    @pytest.mark.parametrize(
        ("command", "word"),
        [
            ("nvm use 20 && npm run dev", "nvm"),
            ("conda activate shop; python app.py", "conda"),
            (". ~/.nvm/nvm.sh && nvm use 20", None),
            ("conda run -n shop python app.py", None),
            ("bash -c 'nvm use 20'", None),
        ],
    )
    def test_shows_words_that_only_an_interactive_shell_has(
        self, shop: Shop, command: str, word: str | None
    ) -> None:
        shop.service("web", command=command, ready={"after": 0.1})

        code, found = examined(shop)

        assert code == 0
        shown = [each["problem"] for each in found]
        assert shown == (
            [] if word is None else [f"web: `{word}` is a function of your interactive shell, and no program"]
        )
