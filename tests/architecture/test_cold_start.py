"""Specifies what the fast commands do not load: they answer in the time that a person does not notice."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"textual", "questionary", "prompt_toolkit", "psutil", "asyncio"}
"""What `status` never loads."""
NOT_LIGHT = HEAVY | {
    "msgspec",
    "subprocess",
    "typing",
    "tomllib",
    "dataclasses",
    "inspect",
    "email",
    "urllib",
    "re",
    "enum",
    "json",
    "importlib",
    "pathlib",
    "socket",
    "signal",
    "argparse",
}
"""What the modules that every fast command begins with do not load, and `start` does without."""

REPORT = """
import sys
{code}
print("LOADED", *sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""
RUN = """
from devinit.cli.main import main
code = main(sys.argv[1:])
assert code == 0, code
"""


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Return the top-level modules that are loaded after some code has run in a fresh interpreter."""
    # Without site-packages' .pth files, which load what they like, the package has to be found by its path.
    paths = {path for path in sys.path if path}
    answer = subprocess.run(
        [sys.executable, "-S", "-c", REPORT.format(code=code), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sorted(paths))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    line = next(line for line in answer.stderr.splitlines() if line.startswith("LOADED "))
    return set(line.split()[1:])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one service that needs no port."""
    (tmp_path / "devinit.toml").write_text(
        '[services.web]\ncommand = "sleep 1000"\nready = { after = 0.01 }\n'
    )
    return tmp_path


class TestTheLightModules:
    @pytest.mark.parametrize(
        "module",
        [
            "devinit",
            "devinit.errors",
            "devinit.system.paths",
            "devinit.system.files",
            "devinit.control.client",
            "devinit.config.find",
            "devinit.config.absence",
            "devinit.sources",
            "devinit.cli.main",
        ],
    )
    def test_load_nothing_that_takes_time(self, module: str) -> None:
        assert loaded_by(f"import {module}") & NOT_LIGHT == set()

    def test_to_connect_load_nothing_that_takes_time(self) -> None:
        assert loaded_by("import devinit.control.launch") & NOT_LIGHT == set()


class TestAnApplication:
    def test_that_asks_for_an_address_loads_nothing_heavy_and_no_decoder_of_structs(
        self, tmp_path: Path
    ) -> None:
        serve = f"{sys.executable} -m http.server ${{PORT}} --bind 127.0.0.1"
        (tmp_path / "devinit.toml").write_text(f'[services.web]\ncommand = "{serve}"\nport = 24200\n')
        command = [sys.executable, "-m", "devinit", "-C", str(tmp_path)]
        subprocess.run([*command, "start"], capture_output=True, timeout=60, check=True)
        try:
            loaded = loaded_by("import devinit\nassert devinit.discover('web', sys.argv[1])", str(tmp_path))
        finally:
            subprocess.run([*command, "stop"], capture_output=True, timeout=60, check=True)

        assert loaded & (HEAVY | {"msgspec", "tomllib", "subprocess"}) == set()


class TestStart:
    @pytest.mark.parametrize("options", [[], ["--json"], ["web", "-d"]])
    def test_loads_nothing_that_takes_time(self, project: Path, options: list[str]) -> None:
        loaded = loaded_by(RUN, "-C", str(project), "start", *options)
        subprocess.run(
            [sys.executable, "-m", "devinit", "-C", str(project), "stop"],
            capture_output=True,
            timeout=60,
            check=True,
        )

        assert loaded & NOT_LIGHT == set()


class TestStop:
    def test_of_what_runs_loads_nothing_that_takes_time(self, project: Path) -> None:
        command = [sys.executable, "-m", "devinit", "-C", str(project)]
        subprocess.run([*command, "start"], capture_output=True, timeout=60, check=True)

        loaded = loaded_by(RUN, "-C", str(project), "stop")

        assert loaded & (NOT_LIGHT | {"collections", "functools"}) == set()

    def test_of_nothing_loads_nothing_heavy(self, project: Path) -> None:
        assert loaded_by(RUN, "-C", str(project), "stop") & HEAVY == set()


class TestStatus:
    def test_at_rest_loads_nothing_heavy(self, project: Path) -> None:
        assert loaded_by(RUN, "-C", str(project), "status") & HEAVY == set()

    @pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["why", "web"]], ids=" ".join)
    def test_of_what_runs_loads_nothing_that_takes_time(self, project: Path, words: list[str]) -> None:
        # A long path is no line of a private key, for which the patterns of secrets would be loaded.
        project = project.rename(project.with_name(f"{project.name}-of-a-project-with-a-long-name"))
        command = [sys.executable, "-m", "devinit", "-C", str(project)]
        subprocess.run([*command, "start"], capture_output=True, timeout=60, check=True)
        try:
            loaded = loaded_by(RUN, "-C", str(project), *words)
        finally:
            subprocess.run([*command, "stop"], capture_output=True, timeout=60, check=True)

        assert loaded & (NOT_LIGHT | {"collections", "functools"}) == set()

    def test_of_a_file_that_is_all_that_counts_does_not_load_what_reads_repositories(
        self, project: Path
    ) -> None:
        file = project / "devinit.toml"
        file.write_text(f"[project]\ndetect = false\n{file.read_text()}")
        reading = "{'devinit.sources.files', 'devinit.sources.merging', 'devinit.config.detected'}"

        loaded_by(f"{RUN}\nassert not {reading} & {{*sys.modules}}", "-C", str(project), "status")

    def test_of_a_project_without_code_does_not_load_what_reads_it(self, project: Path) -> None:
        code = f"{RUN}\nassert not any(name.startswith('devinit.sources.fixed.') for name in sys.modules)"

        loaded_by(code, "-C", str(project), "status")

    def test_of_nothing_does_not_load_the_supervisor(self, project: Path) -> None:
        code = "import devinit.cli.status\nassert not any('supervisor' in name for name in sys.modules)"

        loaded_by(code)
