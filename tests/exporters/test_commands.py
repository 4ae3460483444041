"""Specifies the formats that run commands on this machine: Procfile, process-compose, systemd."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.exporters.conftest import Exported
from tests.resolving.conftest import SHOP

ODD = """a"b'c$d`e\\f%g #h"""


class TestAProcfile:
    def test_has_a_line_for_each_service(self, exported: Exported) -> None:
        [file] = exported("procfile").files

        lines = [line for line in file.text.splitlines() if not line.startswith("#")]
        assert lines == [
            (
                'backend: cd backend && export PORT=8000 HOST=127.0.0.1 PATH="$PWD/.venv/bin:$PATH" && '
                "alembic upgrade head && exec uvicorn main:app --host 127.0.0.1 --port 8000"
            ),
            (
                'frontend: cd frontend && PORT=3000 HOST=127.0.0.1 PATH="$PWD/node_modules/.bin:$PATH" '
                "exec vite --port 3000 --host 127.0.0.1"
            ),
        ]

    def test_leaves_jobs_and_services_by_name_in_comments(self, exported: Exported) -> None:
        text = SHOP.replace('["postgres"]', '{ migrate = "completed" }') + (
            '[services.migrate]\ncommand = "alembic upgrade head"\n'
            '[services.mail]\ncommand = "mailpit"\nautostart = false\n'
        )

        export = exported("procfile", text)

        assert "\n# migrate: exec alembic" in export.files[0].text
        assert "\n# mail: exec mailpit" in export.files[0].text
        assert any("migrate stands in a comment: it ends" in each for each in export.notes)

    def test_says_which_variables_no_runtime_environment_has(self, exported: Exported, root: Path) -> None:
        (root / ".env").write_text("PAY_SECRET=9f8e7d6c\n")
        text = (
            SHOP
            + '[services.queue]\ncommand = "worker ${PAY_SECRET}"\n[services.queue.env]\nA = "x${PAY_SECRET}"\n'
        )

        for form in ("procfile", "process-compose"):
            said = [each for each in exported(form, text).notes if "PAY_SECRET" in each]
            assert said == [
                "PAY_SECRET is not in .env.runtime: the shell, or a further -e FILE, has to give it"
            ]
            assert not any("a further -e" in each for each in exported(form).notes)

    def test_says_what_is_left_out(self, exported: Exported) -> None:
        notes = exported("procfile").notes

        assert any("postgres is run by devinit: `devinit start postgres`" in each for each in notes)

    def test_leaves_out_a_command_of_several_lines(self, exported: Exported) -> None:
        export = exported("procfile", SHOP.replace('"vite', '"cd x\\nvite'))

        assert "vite" not in export.files[0].text
        assert "frontend is left out: its command or one of its values has several lines" in export.notes

    def test_gives_values_as_they_are(self, exported: Exported, root: Path) -> None:
        text = (
            '[services.web]\ncommand = "printenv ODD"\n'
            f"[services.web.env]\nODD = '''{ODD.replace('$d', '$$d')}'''\n"
        )
        [file] = exported("procfile", text).files
        line = next(each for each in file.text.splitlines() if each.startswith("web: "))

        printed = subprocess.run(
            ["sh", "-c", line.removeprefix("web: ")], capture_output=True, text=True, check=True, cwd=root
        ).stdout

        assert printed == ODD + "\n"


class TestProcessCompose:
    def test_has_processes_with_probes_and_order(self, exported: Exported) -> None:
        [file] = exported("process-compose").files

        processes = yaml.safe_load(file.text)["processes"]
        assert processes["frontend"]["depends_on"] == {"backend": {"condition": "process_healthy"}}
        assert "depends_on" not in processes["backend"]
        assert processes["backend"]["readiness_probe"]["http_get"]["path"] == "/health"
        assert processes["backend"]["environment"] == ["PORT=8000", "HOST=127.0.0.1"]
        assert processes["backend"]["availability"]["restart"] == "on_failure"

    def test_waits_for_jobs_until_they_are_done(self, exported: Exported) -> None:
        text = SHOP.replace('["postgres"]', '{ migrate = "completed" }') + (
            '[services.migrate]\ncommand = "alembic upgrade head"\n'
        )
        [file] = exported("process-compose", text).files

        processes = yaml.safe_load(file.text)["processes"]
        condition = {"condition": "process_completed_successfully"}
        assert processes["backend"]["depends_on"] == {"migrate": condition}
        assert processes["migrate"]["availability"] == {"restart": "no"}

    def test_keeps_dollars(self, exported: Exported) -> None:
        text = "[services.web]\ncommand = 'echo $HOME | cat'\nenv = { A = 'x$$y' }\n"
        [file] = exported("process-compose", text).files

        web = yaml.safe_load(file.text)["processes"]["web"]
        assert web["command"] == "echo $$HOME | cat"
        assert "A=x$$y" in web["environment"]


class TestSystemd:
    def test_has_a_unit_for_each_service_and_a_target(self, exported: Exported) -> None:
        files = {file.path: file.text for file in exported("systemd").files}

        assert [*files] == ["shop.target", "shop-backend.service", "shop-frontend.service"]
        assert "Wants=shop-backend.service shop-frontend.service\n" in files["shop.target"]
        assert "After=shop-backend.service\n" in files["shop-frontend.service"]

    def test_runs_one_shots_before(self, exported: Exported) -> None:
        files = {file.path: file.text for file in exported("systemd").files}
        unit = files["shop-backend.service"]

        assert re.search(r"\nExecStartPre=/bin/sh -c .*alembic upgrade head\"\n", unit)
        assert re.search(r"\nExecStart=/bin/sh -c .*exec uvicorn .*--port 8000\"\n", unit)

    def test_escapes_what_systemd_would_replace(self, exported: Exported) -> None:
        text = "[services.web]\ncommand = 'date +%s | tee $HOME/x'\n"

        unit = exported("systemd", text).files[1].text

        assert 'ExecStart=/bin/sh -c "date +%%s | tee $$HOME/x"\n' in unit

    @pytest.mark.skipif(
        subprocess.run(
            ["sh", "-c", "command -v systemd-analyze"], capture_output=True, check=False
        ).returncode
        != 0,
        reason="systemd-analyze is not installed",
    )
    def test_is_accepted_by_systemd(self, exported: Exported, root: Path, tmp_path: Path) -> None:
        text = (
            SHOP
            + f"[services.odd]\ncommand = 'true'\n[services.odd.env]\nA = '''{ODD.replace('$d', '$$d')}'''\n"
        )
        folder = tmp_path / "units"
        folder.mkdir()
        for file in exported("systemd", text).files:
            (folder / file.path).write_text(file.text)
        (root / ".env.runtime").touch()

        done = subprocess.run(
            ["systemd-analyze", "verify", "--user", *map(str, folder.iterdir())],
            capture_output=True,
            text=True,
            check=False,
        )

        assert (done.returncode, done.stderr) == (0, "")


class TestEnv:
    def test_is_read_by_a_shell_with_the_password_from_elsewhere(
        self, exported: Exported, tmp_path: Path
    ) -> None:
        [file] = exported("env").files
        path = tmp_path / "env"
        path.write_text(file.text)

        line = f"POSTGRES_PASSWORD=pw; . {shlex.quote(str(path))}; echo $DATABASE_URL $POSTGRES_PASSWORD"
        printed = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout

        assert printed == "postgresql://shop:pw@127.0.0.1:5432/shop pw\n"
