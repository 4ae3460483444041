"""The table of languages. A language without a folder here only consists of file names."""

from __future__ import annotations

from devinit.toolchains.go.language import GO
from devinit.toolchains.language import Language
from devinit.toolchains.node.language import NODE
from devinit.toolchains.python.language import PYTHON
from devinit.toolchains.ruby.language import RUBY

LANGUAGES = (
    PYTHON,
    NODE,
    RUBY,
    Language(name="php", lock_files=("composer.lock",), manifests=("composer.json",)),
    GO,
    Language(name="rust", lock_files=("Cargo.lock",), manifests=("Cargo.toml",)),
    Language(name="elixir", lock_files=("mix.lock",), manifests=("mix.exs",)),
    Language(
        name="java",
        lock_files=(
            "pom.xml",
            "settings.gradle",
            "settings.gradle.kts",
            "gradle/libs.versions.toml",
            "gradle.lockfile",
        ),
        manifests=("build.gradle", "build.gradle.kts"),
    ),
    Language(name="dotnet", lock_files=("packages.lock.json", "Directory.Packages.props")),
)
LOCK_FILES = tuple(name for each in LANGUAGES for name in each.lock_files)
MANIFESTS = tuple(name for each in LANGUAGES for name in each.manifests)
PRODUCTS = tuple(name for each in LANGUAGES for name in each.products)
