"""Specifies sources that other packages bring, on the example in `tests/plug_ins`, which the guide shows too."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.plug_ins.environment import Environment

EXAMPLE = Path(__file__).parents[1] / "plug_ins" / "devinit-steps"
SOURCE = EXAMPLE / "devinit_steps" / "source.py"


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    environment = Environment(tmp_path)
    environment.install(EXAMPLE)
    (environment.root / "steps.txt").write_text("api 3456 python3 -m http.server ${PORT}\n")
    return environment


def detected(environment: Environment) -> dict[str, object]:
    found: dict[str, object] = json.loads(environment("init", "--json").stdout)
    return found


def test_the_example_is_short() -> None:
    assert len(SOURCE.read_text().splitlines()) <= 45


class TestASourceThatAPackageBrings:
    def test_is_asked_like_any_other(self, environment: Environment) -> None:
        printed = environment("init", "--print")

        assert printed.returncode == 0, printed
        assert "[services.api]" in printed.stdout
        assert 'command = "python3 -m http.server ${PORT}"' in printed.stdout
        assert "steps.txt" in environment("init", "--explain").stdout

    def test_is_listed(self, environment: Environment) -> None:
        done = json.loads(environment("doctor", "--json").stdout)

        assert done["plug_ins"] == {"steps": "devinit-steps 1.0"}

    @pytest.mark.parametrize(
        ("before", "after", "reason"),
        [
            ("APPLICATIONS = ", "OTHER = ", "has no APPLICATIONS"),
            ("    name, port", "    1 / 0\n        name, port", "ZeroDivisionError: division by zero"),
            ("def read(", "raise SystemExit('gone')\ndef read(", "SystemExit: gone"),
        ],
    )
    def test_that_is_broken_is_named_with_the_cure_and_stops_nothing(
        self, environment: Environment, before: str, after: str, reason: str
    ) -> None:
        path = environment.packages / "devinit_steps" / "source.py"
        path.write_text(path.read_text().replace(before, after))
        (environment.root / "Procfile.dev").write_text("web: python3 -m http.server $PORT\n")

        done = environment("init", "--print")

        said = 'the source "steps" of devinit-steps 1.0 cannot be used: '
        assert done.returncode == 0, done
        assert "[services.web]" in done.stdout
        assert said in done.stdout + done.stderr
        assert reason in done.stdout + done.stderr

    def test_costs_projects_without_one_no_look_through_packages(self, environment: Environment) -> None:
        environment.remove(EXAMPLE)
        code = (
            "import sys; from pathlib import Path; from devinit.config.detected import detect; "
            "detect(Path.cwd()); print('importlib.metadata' in sys.modules)"
        )

        done = subprocess.run(
            [environment.prefix / "bin" / "python", "-P", "-c", code],
            cwd=environment.root,
            capture_output=True,
            text=True,
            check=True,
        )

        assert done.stdout == "False\n"
