"""A Python environment with devinit and the example plug-ins, for tests that use them as users do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import devinit


class Environment:
    """A separate Python environment with devinit, and a project in which it is used."""

    def __init__(self, folder: Path) -> None:
        self.prefix, self.root = folder / "environment", folder / "shop"
        self.root.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.prefix], check=True)
        [self.packages] = self.prefix.glob("lib/python*/site-packages")
        # devinit and its dependencies come from the environment of the tests.
        ours = (Path(devinit.__file__).parents[1], sysconfig.get_path("purelib"))
        (self.packages / "devinit.pth").write_text("".join(f"{path}\n" for path in ours))

    def install(self, example: Path) -> None:
        """Install an example into the environment."""
        unpack(example, self.packages)

    def remove(self, example: Path) -> None:
        """Remove an example."""
        for path in self.packages.glob(f"{example.name.replace('-', '_')}*"):
            shutil.rmtree(path)

    def describe(self, text: str) -> None:
        """Write the project's devinit.toml."""
        (self.root / "devinit.toml").write_text(text)

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run devinit in the project."""
        return subprocess.run(
            [self.prefix / "bin" / "python", "-P", "-m", "devinit", *arguments],
            cwd=self.root,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def unpack(example: Path, folder: Path) -> None:
    """Unpack an example into a folder, as an installer does."""
    project = tomllib.loads((example / "pyproject.toml").read_text())["project"]
    name, version = project["name"], project["version"]
    module = name.replace("-", "_")
    shutil.copytree(example / module, folder / module)
    about = folder / f"{module}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    points = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in each.items())
        for group, each in project["entry-points"].items()
    ]
    (about / "entry_points.txt").write_text("\n".join(points))
