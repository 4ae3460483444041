"""Names of Python's files and folders."""

from __future__ import annotations

from devinit.toolchains.language import Language

VENV_FOLDERS = (".venv", "venv")
"""Names of virtual environments, even without a `pyvenv.cfg`."""
PYTHON = Language(
    name="python",
    lock_files=("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock"),
    manifests=("pyproject.toml", "requirements.txt", "requirement.txt", "requirements-dev.txt"),
    products=VENV_FOLDERS,
)
