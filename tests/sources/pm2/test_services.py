"""Specifies which services the applications of PM2 are: shape i of the repositories."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.config.shown import root_shown_by
from devinit.sources import pm2
from devinit.sources.source import Found
from devinit.system.bounds import bounds_of

Write = Callable[..., Path]
LISTED = """\
const sharedEnv = { NODE_ENV: 'production' }

module.exports = {
  apps: [
    { name: 'API', script: 'dist/index.js', cwd: './apps/api', env: { ...sharedEnv, PORT: 4000 } },
    { name: 'web', script: 'node_modules/.bin/next', args: 'start -p 3000', cwd: './apps/web' },
    { name: 'jobs', script: './apps/jobs/dist/index.js', instances: 'max' },
  ],
  deploy: { production: { user: 'x' } },
}
"""


@pytest.fixture
def listed(root: Path, write: Write) -> Path:
    write("ecosystem.config.js", LISTED)
    for name, words in {
        "api": "tsx watch src/index.ts",
        "web": "next dev",
        "jobs": "tsx watch src/jobs.ts",
    }.items():
        write(f"apps/{name}/package.json", json.dumps({"scripts": {"dev": words}}))
    write("apps/api/src/index.ts", "app.listen(process.env.PORT || 4000)\n")
    return root


def found(root: Path) -> Found:
    return pm2.read(bounds_of(root))


def commands(root: Path) -> dict[str, tuple[str, str | None]]:
    return {
        name: (str(each.directory.relative_to(root)), each.command)
        for name, each in found(root).services.items()
    }


class TestAnApplication:
    def test_is_run_by_the_dev_script_of_its_folder(self, listed: Path) -> None:
        assert commands(listed) == {
            "api": ("apps/api", "npm run dev"),
            "web": ("apps/web", "npm run dev -- --port ${PORT}"),
            "jobs": ("apps/jobs", "npm run dev"),
        }

    def test_names_both_lines(self, listed: Path) -> None:
        evidence = found(listed).evidence["web"]

        assert [each.place for each in evidence][:2] == [
            "ecosystem.config.js, line 6",
            "apps/web/package.json, line 1",
        ]

    def test_is_a_project(self, listed: Path) -> None:
        assert root_shown_by(str(listed)) == str(listed)

    def test_counts_less_than_any_other_list(self, listed: Path, write: Write) -> None:
        write("Procfile.dev", "site: cd apps/web && npm run dev\n")

        assert list(detect(listed).services) == ["site"]

    def test_without_such_a_script_is_left_out_where_it_runs_a_build(self, root: Path, write: Write) -> None:
        write("ecosystem.config.cjs", "module.exports = { apps: [{ name: 'api', script: 'dist/main.js' }] }")

        assert (found(root).services, len(found(root).notes)) == ({}, 1)
        assert "it runs what was built for production" in found(root).notes[0]

    @pytest.mark.parametrize(
        ("described", "command"),
        [
            ("script: 'worker.py', interpreter: 'python3'", "python3 worker.py"),
            ("script: 'src/worker.js', args: ['--queue', 'mail']", "node src/worker.js --queue mail"),
            ("script: 'npm', args: 'run work'", "npm run work"),
            ("script: 'worker.rb'", "ruby worker.rb"),
        ],
    )
    def test_of_source_files_is_run_as_it_stands(
        self, root: Path, write: Write, described: str, command: str
    ) -> None:
        write("ecosystem.config.js", f"module.exports = {{ apps: [{{ name: 'worker', {described} }}] }}")

        assert commands(root) == {"worker": (".", command)}

    @pytest.mark.parametrize(
        "described",
        [
            "cwd: '/srv/app', script: 'x.js'",
            "cwd: '../other', script: 'x.js'",
            "cwd: 'none'",
            "script: dir + 'x'",
        ],
    )
    def test_that_runs_elsewhere_or_is_computed_is_named(
        self, root: Path, write: Write, described: str
    ) -> None:
        write("pm2.config.js", f"module.exports = {{ apps: [{{ name: 'x', {described} }}] }}")

        assert found(root).services == {}
        assert found(root).notes[0].startswith("pm2.config.js, line 1: x is left out: ")

    def test_beyond_a_link_out_of_the_repository_is_not_read(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "other.js").write_text(LISTED)
        (root / "ecosystem.config.js").symlink_to(tmp_path / "other.js")

        assert found(root).services == {}
        assert "was not followed" in found(root).notes[0]
