"""Specifies the ecosystem file, as Node reads it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devinit.sources.pm2.literals import applications
from tests.exporters.conftest import Exported
from tests.resolving.conftest import SHOP

RUNTIME = "POSTGRES_PASSWORD=pw\nPOSTGRES_URL=postgresql://x\nDATABASE_URL=postgresql://x\nPGPASSWORD=pw\n"
ODD = "a\"b'c$d`e\\f%g #h\u2028i"
READS = "const { parseEnv } = require('node:util'); process.exit(parseEnv ? 0 : 1)"


def is_new_enough() -> bool:
    node = shutil.which("node")
    return node is not None and subprocess.run([node, "-e", READS], check=False).returncode == 0


needs_node = pytest.mark.skipif(not is_new_enough(), reason="needs Node 20.12 or newer")


def apps(folder: Path, text: str, runtime: str = RUNTIME) -> list[dict[str, Any]]:
    """Return what Node makes of a file. Any: JSON."""
    path = folder / "ecosystem.config.cjs"
    path.write_text(text)
    (folder / ".env.runtime").write_text(runtime)
    # A package of ES modules takes no CommonJS but in .cjs.
    (folder / "package.json").write_text('{"type": "module"}')
    line = f"console.log(JSON.stringify(require({json.dumps(str(path))}).apps))"
    done = subprocess.run(["node", "-e", line], capture_output=True, text=True, check=True, cwd="/")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@needs_node
class TestAnApplication:
    def test_has_its_folder_port_and_tools(self, exported: Exported, root: Path) -> None:
        [file] = exported("pm2").files

        backend, frontend = apps(root, file.text)

        assert (backend["name"], backend["cwd"]) == ("backend", str(root / "backend"))
        assert (backend["env"]["PORT"], frontend["env"]["PORT"]) == ("8000", "3000")
        assert backend["env"]["PATH"].startswith(f"{root}/backend/.venv/bin:")
        assert frontend["interpreter"] == "none"

    def test_has_secrets_from_the_runtime_environment(self, exported: Exported, root: Path) -> None:
        [file] = exported("pm2").files

        backend, _ = apps(root, file.text)

        assert backend["env"]["DATABASE_URL"] == "postgresql://x"

    def test_has_secrets_of_its_own_env_files_in_other_values(self, exported: Exported, root: Path) -> None:
        for name in ("backend", "frontend"):
            (root / name / ".env").write_text(f"PAY_SECRET=of-the-{name}\n")
        text = SHOP.replace("[tasks.seed]", '[services.frontend.env]\nPAY = "k=${PAY_SECRET}"\n[tasks.seed]')
        text += '[services.backend.env]\nPAY = "k=${PAY_SECRET}"\n'
        [file] = exported("pm2", text).files

        backend, frontend = apps(root, file.text)

        assert "of-the-" not in file.text
        assert (backend["env"]["PAY"], frontend["env"]["PAY"]) == ("k=of-the-backend", "k=of-the-frontend")

    def test_has_its_env_files_which_count_less(self, exported: Exported, root: Path) -> None:
        (root / "frontend" / ".env").write_text("PORT=9\nTHEME='dark blue'\n")
        [file] = exported("pm2").files

        frontend = apps(root, file.text)[1]

        assert (frontend["env"]["PORT"], frontend["env"]["THEME"]) == ("3000", "dark blue")

    def test_is_the_installed_program(self, exported: Exported, root: Path) -> None:
        [file] = exported("pm2").files
        before = apps(root, file.text)[1]["script"]
        program = root / "frontend" / "node_modules" / ".bin" / "vite"
        program.parent.mkdir(parents=True)
        program.touch()

        assert (before, apps(root, file.text)[1]["script"]) == ("vite", str(program))

    def test_is_a_shell_for_what_needs_one(self, exported: Exported, root: Path) -> None:
        [file] = exported("pm2", "[services.web]\ncommand = 'cd x && node y | cat'\n").files

        [web] = apps(root, file.text)

        assert (web["script"], web["args"]) == ("/bin/sh", ["-c", "cd x && node y | cat"])

    def test_has_values_as_they_are(self, exported: Exported, root: Path) -> None:
        odd = json.dumps(ODD.replace("$d", "$$d"))
        [file] = exported("pm2", f'[services.web]\ncommand = "x"\nenv = {{ ODD = {odd} }}\n').files

        [web] = apps(root, file.text)

        assert web["env"]["ODD"] == ODD

    def test_obeys_the_restart_policy(self, exported: Exported, root: Path) -> None:
        text = "".join(
            f'[services.{name}]\ncommand = "x"\nrestart = "{name}"\n'
            for name in ("never", "always", "on-failure")
        )
        [file] = exported("pm2", text).files

        found = [(each["autorestart"], each.get("stop_exit_codes")) for each in apps(root, file.text)]

        assert found == [(False, None), (True, None), (True, [0])]

    def test_does_not_start_without_a_secret(self, exported: Exported, root: Path) -> None:
        [file] = exported("pm2").files

        with pytest.raises(subprocess.CalledProcessError) as failed:
            apps(root, file.text, "")

        assert "POSTGRES_URL is not set: `devinit start` writes .env.runtime" in failed.value.stderr


def test_what_others_read_without_running_it_is_literal(exported: Exported) -> None:
    [file] = exported("pm2", SHOP.replace('before_start = ["alembic upgrade head"]\n', "")).files

    found = [each for each, _ in applications(file.text)]

    assert [(each["name"], each["cwd"], each["env"]["PORT"]) for each in found] == [
        ("backend", "backend", "8000"),
        ("frontend", "frontend", "3000"),
    ]
    assert found[0]["args"] == ["main:app", "--host", "127.0.0.1", "--port", "8000"]
