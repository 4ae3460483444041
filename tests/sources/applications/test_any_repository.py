"""Specifies that no repository stops detection, whatever is in its files, and that none of it is carried out."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinit.config.detected import detect
from devinit.sources.applications import tree
from devinit.sources.commands.programs import LONGEST_COMMAND
from tests.sources.applications.test_shapes import SHAPES, lay_out

NAMES = sorted({name for files, _ in SHAPES.values() for name in files})
TEXTS = sorted({text for files, _ in SHAPES.values() for text in files.values()})
PIECES = [
    "\0",
    "\ud800",
    "{",
    "}",
    "(",
    ")",
    '"',
    "'",
    "\\",
    "\r",
    "\n",
    "=",
    ":",
    "@",
    "${",
    "PORT",
    "99999",
    "../",
    "\t",
]


def cut(text: str, at: int, more: str) -> str:
    return text[: at % (len(text) + 1)] + more + text[(at * 7) % (len(text) + 1) :]


MUTATED = st.builds(
    cut,
    st.sampled_from(TEXTS),
    st.integers(0, 500),
    st.lists(st.sampled_from(PIECES), max_size=4).map("".join),
)
REPOSITORY = st.dictionaries(st.sampled_from(NAMES), MUTATED | st.sampled_from(TEXTS), min_size=1, max_size=8)


class TestARepository:
    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(files=REPOSITORY)
    def test_of_any_files_stops_nothing(
        self, tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
    ) -> None:
        root = tmp_path_factory.mktemp("any")
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode(errors="surrogatepass"))

        project = detect(root)

        assert project.services.keys() == project.evidence.keys()
        for lines in project.evidence.values():
            assert all((root / each.file).is_file() and each.line >= 1 for each in lines)

    def test_is_not_carried_out(self, root: Path) -> None:
        trap = f"open({str(root / 'sprung')!r}, 'w')\n"
        lay_out(
            root,
            {
                "app/main.py": f"{trap}from fastapi import FastAPI\napp = FastAPI()\n",
                "manage.py": f"{trap}import django\n",
                "conftest.py": trap,
                "web/vite.config.js": f"require('fs').writeFileSync({json.dumps(str(root / 'sprung'))}, '')",
                "web/package.json": '{"scripts": {"dev": "vite", "predev": "touch sprung"}}',
            },
        )

        assert len(detect(root).services) == 2
        assert not (root / "sprung").exists()

    @pytest.mark.parametrize(
        "text",
        [
            "(" * 100_000,
            "-" * 200_000 + "1",
            "a" + ".b" * 100_000,
            "[" * 5_000 + "]" * 5_000,
            "FastAPI = " * 20_000 + "1",
            "app = FastAPI()\n" * 15_000,
            "def f():\n" + "".join(" " * depth + "if x:\n" for depth in range(1, 120)),
        ],
        ids=range(7),
    )
    @pytest.mark.timeout(120)
    def test_with_a_hostile_source_file_is_done_at_once(self, root: Path, text: str) -> None:
        lay_out(root, {"backend/main.py": f"# FastAPI\n{text}"})

        assert detect(root).services.keys() <= {"backend"}

    def test_with_scripts_of_endless_length_takes_none_of_them_apart(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lengths: list[int] = []
        split = shlex.split

        def counted(text: str, **more: bool) -> list[str]:
            lengths.append(len(text))
            return split(text, **more)

        monkeypatch.setattr(shlex, "split", counted)
        lay_out(
            root,
            {
                f"apps/a{number}/package.json": json.dumps({"scripts": {"dev": "a" * 100_000}})
                for number in range(3)
            },
        )
        lay_out(
            root,
            {"package.json": '{"scripts": {"dev": "npm run dev --workspaces"}, "workspaces": ["apps/*"]}'},
        )

        detect(root)

        assert max(lengths) <= LONGEST_COMMAND

    def test_with_more_files_than_are_looked_at_says_so(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tree, "MOST_ENTRIES", 20)
        lay_out(root, {"web/package.json": '{"scripts": {"dev": "vite"}}'})
        lay_out(root, {f"web/src/{number}.ts": "" for number in range(30)})

        project = detect(root)

        assert list(project.services) == ["frontend"]
        assert any("more files than are looked at" in note for note in project.notes)
