"""Projects for the clients, as for the command line, and what npm brings for their tests."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from devinit.system.digest import blake2b
from tests.cli.conftest import listen, port, shop
from tests.network import on_the_network

__all__ = ["listen", "port", "shop"]

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "@sveltejs/vite-plugin-svelte": "7.3.1",
    "@types/node": "22.19.1",
    "@types/react": "19.3.3",
    "@vitejs/plugin-react": "6.3.0",
    "react": "19.3.1",
    "react-dom": "19.3.1",
    "svelte": "5.57.3",
    "typescript": "5.9.3",
    "vite": "8.4.0",
    "vue": "3.5.45",
}


@pytest.fixture(scope="session")
def node() -> str:
    """Return the program of Node."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no node on PATH (scripts/test brings one along)")
    return found


@pytest.fixture(scope="session")
def modules(node: str) -> Path:
    """Return a node_modules with what pages are made of, installed once for these versions."""
    text = json.dumps({"private": True, "type": "module", "dependencies": PACKAGES})
    folder = ROOT / ".venv" / f"npm-{blake2b(text.encode(), digest_size=5).hexdigest()}"
    if (folder / "installed").exists():
        return folder / "node_modules"
    if shutil.which("npm") is None:
        pytest.skip("there is no npm on PATH (scripts/test brings one along)")
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text(text)
    words = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=0"]
    done = subprocess.run(
        on_the_network(*words), cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot install Vite and others here: {done.stderr[-200:]}")
    (folder / "installed").touch()
    return folder / "node_modules"
