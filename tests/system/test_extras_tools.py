"""Specifies that the command which adds an extra works in the tools that install programs: uv, uvx and pipx.

The tools are the real ones. They install a package of the same name that has nothing but `command_for`, from a
folder, so that no registry is asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from devinit.system import extras

pytestmark = pytest.mark.timeout(180)

PROGRAM = """
from importlib.util import find_spec
from devinit.extras import command_for
def main():
    print("has it" if find_spec("stub_of_web") else command_for("web"))
"""
Shell = Callable[[str], str]


def wheel(folder: Path, name: str, files: dict[str, str], *more: str, scripts: str = "") -> None:
    """Write a wheel of pure Python."""
    info = f"{name}-1.dist-info"
    metadata = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 1", *more, ""])
    kind = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    every = {**files, f"{info}/METADATA": metadata, f"{info}/WHEEL": kind}
    if scripts:
        every[f"{info}/entry_points.txt"] = f"[console_scripts]\n{scripts}\n"
    every[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*every, f"{info}/RECORD"))
    with ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as archive:
        for path, text in every.items():
            archive.writestr(path, text)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Run a line of shell in a home of its own, in which the tools know only our packages; return its output."""
    (house := tmp_path / "wheels").mkdir()
    code = {
        "devinit/__init__.py": "",
        "devinit/extras.py": Path(extras.__file__).read_text(),
        "devinit/program.py": PROGRAM,
    }
    web = ("Provides-Extra: web", 'Requires-Dist: stub_of_web ; extra == "web"')
    wheel(house, "devinit", code, *web, scripts="devinit = devinit.program:main")
    wheel(house, "stub_of_web", {"stub_of_web.py": ""})
    home = tmp_path / "home"
    environment = {
        "HOME": str(home),
        "PATH": f"{home}/.local/bin:{os.environ['PATH']}",
        "UV_FIND_LINKS": str(house),
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "PIP_FIND_LINKS": str(house),
        "PIP_NO_INDEX": "1",
        "PIPX_DEFAULT_PYTHON": sys.executable,
    }

    def run(line: str) -> str:
        done = subprocess.run(
            ["sh", "-c", line], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout.strip()

    return run


def require(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"there is no {tool} on this machine")


@pytest.mark.parametrize(
    ("tool", "install"), [("uv", "uv tool install devinit"), ("pipx", "pipx install devinit")]
)
def test_adds_an_extra_to_a_program_that_the_tool_has_installed(
    shell: Shell, tool: str, install: str
) -> None:
    require(tool)
    shell(install)
    command = shell("devinit")

    assert command.startswith(tool)
    shell(command)

    assert shell("devinit") == "has it"


def test_runs_the_program_with_an_extra_where_the_tool_installs_nothing(shell: Shell) -> None:
    require("uvx")
    command = shell("uvx devinit")

    assert command.startswith("uvx")
    assert shell(command) == "has it"


def test_adds_an_extra_to_an_environment_of_uv_which_has_no_pip(shell: Shell, tmp_path: Path) -> None:
    require("uv")
    shell("uv venv 'my env' && uv pip install --python 'my env' devinit")
    command = shell("'my env/bin/devinit'")

    assert command.startswith("uv pip install")
    shell(command)

    assert shell("'my env/bin/devinit'") == "has it"


def test_adds_an_extra_to_an_environment_that_has_pip(shell: Shell) -> None:
    shell(f"'{sys.executable}' -m venv 'my env' && 'my env/bin/python' -m pip install devinit")
    command = shell("'my env/bin/devinit'")

    assert "-m pip install" in command
    shell(command)

    assert shell("'my env/bin/devinit'") == "has it"
