"""Specifies which packages a workspace has, and which of them a command selects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinit.sources.commands.workspace import needed_by, packages_of, selected
from devinit.system.bounds import bounds_of

Write = Callable[..., Path]
FOLDERS = ("apps/web", "apps/api", "apps/docs", "packages/ui", "packages/db", "packages/group/deep")


@pytest.fixture
def workspace(root: Path, write: Write) -> Path:
    for folder in FOLDERS:
        name = folder.rpartition("/")[2]
        uses = {"web": {"@acme/ui": "*"}, "ui": {"@acme/db": "*"}}.get(name, {})
        write(f"{folder}/package.json", json.dumps({"name": f"@acme/{name}", "dependencies": uses}))
    write("apps/web/node_modules/x/package.json", "{}")
    return root


def folders(root: Path) -> list[str]:
    return [each.folder for each in packages_of(bounds_of(root)).values()]


class TestAWorkspace:
    @pytest.mark.parametrize(
        ("globs", "found"),
        [
            (["apps/*"], ["apps/api", "apps/docs", "apps/web"]),
            (["./apps/*/"], ["apps/api", "apps/docs", "apps/web"]),
            (["apps/web", "packages/*"], ["apps/web", "packages/db", "packages/ui"]),
            (["apps/*", "!apps/docs"], ["apps/api", "apps/web"]),
            (["packages/**"], ["packages/db", "packages/group/deep", "packages/ui"]),
            (["**", "!**/d*/**", "!**/deep"], ["apps/api", "apps/web", "packages/ui"]),
            (["../*", "/", ""], []),
            ([7, None], []),
        ],
    )
    def test_of_npm_is_named_by_patterns(
        self, workspace: Path, write: Write, globs: list[str], found: list[str]
    ) -> None:
        write("package.json", json.dumps({"workspaces": globs}))

        assert folders(workspace) == found

    @pytest.mark.parametrize("stated", ["apps/*", {"packages": "apps/*"}, 3, None, True])
    def test_of_another_shape_has_none(self, workspace: Path, write: Write, stated: object) -> None:
        write("package.json", json.dumps({"workspaces": stated}))

        assert folders(workspace) == []

    def test_of_yarn_may_be_a_table(self, workspace: Path, write: Write) -> None:
        write("package.json", json.dumps({"workspaces": {"packages": ["apps/web"], "nohoist": []}}))

        assert folders(workspace) == ["apps/web"]

    @pytest.mark.parametrize(
        "text",
        [
            "packages:\n  - 'apps/*'\n  - \"packages/*\"   # ours\n\n  # not these\n  - '!apps/docs'\n",
            "catalog:\n  a: 1\npackages:\n- apps/*\n- packages/*\n- '!apps/docs'\nonlyBuiltDependencies:\n  - x\n",
            "packages: ['apps/*', 'packages/*', '!apps/docs']\n",
        ],
    )
    def test_of_pnpm_has_a_file_of_its_own(self, workspace: Path, write: Write, text: str) -> None:
        write("package.json", "{}")
        write("pnpm-workspace.yaml", text)

        assert folders(workspace) == ["apps/api", "apps/web", "packages/db", "packages/ui"]

    def test_of_pnpm_with_settings_alone_has_none(self, workspace: Path, write: Write) -> None:
        write("pnpm-workspace.yaml", "onlyBuiltDependencies:\n  - esbuild\n")

        assert folders(workspace) == []

    def test_does_not_reach_beyond_the_repository(
        self, workspace: Path, write: Write, tmp_path: Path
    ) -> None:
        (tmp_path / "other").mkdir()
        (tmp_path / "other/package.json").write_text("{}")
        (workspace / "apps/linked").symlink_to(tmp_path / "other")
        write("package.json", json.dumps({"workspaces": ["apps/*", "apps/linked"]}))

        assert "apps/linked" not in folders(workspace)

    @settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        globs=st.lists(st.text(alphabet="*/!.a[]?{}", max_size=12), max_size=4),
        text=st.text(alphabet="packges: \n-[]'\"#!*/", max_size=60),
    )
    def test_of_any_patterns_stops_nothing(self, workspace: Path, globs: list[str], text: str) -> None:
        (workspace / "package.json").write_text(json.dumps({"workspaces": globs}))
        (workspace / "pnpm-workspace.yaml").write_text(text)

        assert set(folders(workspace)) <= {*FOLDERS, "apps", "packages", "packages/group"}


class TestASelection:
    @pytest.mark.parametrize(
        ("selectors", "found"),
        [
            ([], ["api", "docs", "web", "db", "ui"]),
            (["@acme/web"], ["web"]),
            (["web"], ["web"]),
            (["apps/web"], ["web"]),
            (["./apps/*"], ["api", "docs", "web"]),
            (["{./apps}"], ["api", "docs", "web"]),
            (["./apps/*", "!docs"], ["api", "web"]),
            (["!@acme/d*"], ["api", "web", "ui"]),
            (["web..."], ["web", "db", "ui"]),
            (["...ui"], ["web", "ui"]),
            (["[HEAD^1]"], ["api", "docs", "web", "db", "ui"]),
            (["nothing"], []),
        ],
    )
    def test_is_by_name_folder_and_use(
        self, workspace: Path, write: Write, selectors: list[str], found: list[str]
    ) -> None:
        write("package.json", json.dumps({"workspaces": ["apps/*", "packages/*"]}))

        chosen = selected(packages_of(bounds_of(workspace)), selectors)

        assert [each.name.removeprefix("@acme/") for each in chosen] == found

    def test_knows_what_a_package_uses_through_others(self, workspace: Path, write: Write) -> None:
        write("package.json", json.dumps({"workspaces": ["apps/*", "packages/*"]}))
        packages = packages_of(bounds_of(workspace))

        assert needed_by(packages, packages["@acme/web"]) == {"@acme/ui", "@acme/db"}
