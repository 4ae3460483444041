"""A Python environment with devinit and the examples of plug-ins, for the tests that use them as a user does."""

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
    """A Python environment of its own in which devinit is installed, and a project that it is used in."""

    def __init__(self, folder: Path) -> None:
        self.prefix, self.root = folder / "environment", folder / "shop"
        self.root.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.prefix], check=True)
        [self.packages] = self.prefix.glob("lib/python*/site-packages")
        # What devinit consists of and needs is where the tests have it.
        ours = (Path(devinit.__file__).parents[1], sysconfig.get_path("purelib"))
        (self.packages / "devinit.pth").write_text("".join(f"{path}\n" for path in ours))

    def install(self, example: Path) -> None:
        """Put an example into the environment."""
        unpack(example, self.packages)

    def remove(self, example: Path) -> None:
        """Take it out again."""
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
    """Lay an example out in a folder as an installer does."""
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
