"""Specifies which command adds what devinit was installed without: the one of the tool that installed it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devinit.system import extras
from devinit.system.extras import command_for


class TestTheCommand:
    @pytest.mark.parametrize(
        ("file", "command"),
        [
            ("uv-receipt.toml", "uv tool install 'devinit[web]'"),
            ("pipx_metadata.json", "pipx install --force 'devinit[web]'"),
        ],
    )
    def test_is_of_the_tool_that_made_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, command: str
    ) -> None:
        (tmp_path / file).touch()
        monkeypatch.setattr(sys, "prefix", str(tmp_path))

        assert command_for("web") == command

    def test_names_the_extra_again_for_uvx(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "prefix", "/home/ada/.cache/uv/archive-v0/Xb2")

        assert command_for("embedded") == "uvx --from 'devinit[embedded]' devinit"

    def test_does_without_pip_where_the_environment_has_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "prefix", str(tmp_path))
        monkeypatch.setattr(extras, "find_spec", lambda _name: None)

        assert command_for("web") == f"uv pip install --python {sys.executable} 'devinit[web]'"

    def test_is_one_that_a_shell_finds_and_that_installs_beside_this_python(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        subprocess.run([sys.executable, "-m", "venv", tmp_path / "my env"], check=True)
        python = tmp_path / "my env/bin/python"
        monkeypatch.setattr(sys, "prefix", str(tmp_path / "my env"))
        monkeypatch.setattr(sys, "executable", str(python))
        monkeypatch.setattr(extras, "find_spec", lambda _name: sys)

        command = command_for("web")

        # The registry is asked for nothing.
        done = subprocess.run(
            ["sh", "-c", command.replace("pip install 'devinit[web]'", "pip --version")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert str(tmp_path / "my env") in done.stdout
