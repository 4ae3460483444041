"""Specifies `devinit.sources.devcontainer`: what a devcontainer.json is read for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.sources import devcontainer
from devinit.sources.devcontainer.reading import _hints
from devinit.sources.jsonc import parse_jsonc
from devinit.system.bounds import bounds_of

FILE = """{
  // the image of everybody
  "name": "shop",
  "dockerComposeFile": ["../compose.yml", "compose.extra.yml"],
  "forwardPorts": [3000, "db:5432", 8000],
  "portsAttributes": {
    "3000": {"label": "frontend"}, "8000": {"label": "backend", "onAutoForward": "notify"},
  },
  "postCreateCommand": "npm ci && alembic upgrade head",
  "updateContentCommand": {"web": ["npm", "run", "build it"], "api": "pip install -e ."},
  "postStartCommand": ["./start", "all"],
  "remoteEnv": {"DATABASE_URL": "postgres://db/shop", "PATH": "${containerEnv:PATH}:/x"}, /* both */
}
"""


def hints(root: Path, text: str, name: str = ".devcontainer/devcontainer.json") -> tuple[str, ...]:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    assert devcontainer.claims(root)
    return devcontainer.read(bounds_of(root)).hints


class TestADevcontainer:
    def test_is_told_with_its_lines(self, tmp_path: Path) -> None:
        place, once = ".devcontainer/devcontainer.json, line", "once in a new container; `setup ="
        there = "of a [services.NAME] in devinit.toml does so, too"

        assert hints(tmp_path, FILE) == (
            f"{place} 5 forwards 3000 (frontend), db:5432, 8000 (backend)",
            f"{place} 10 runs `npm run 'build it'` {once} [\"npm run 'build it'\"]` {there}",
            f'{place} 10 runs `pip install -e .` {once} ["pip install -e ."]` {there}',
            f'{place} 9 runs `npm ci && alembic upgrade head` {once} ["npm ci && alembic upgrade head"]` {there}',
            f"{place} 11 runs `./start all` whenever its container starts",
            f"{place} 4 starts the containers of ../compose.yml, compose.extra.yml",
            f"{place} 12 gives DATABASE_URL, PATH to what runs in its container",
        )

    def test_may_lie_beside_the_project(self, tmp_path: Path) -> None:
        assert hints(tmp_path, '{"forwardPorts": [3000]}', ".devcontainer.json") == (
            ".devcontainer.json, line 1 forwards 3000",
        )

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "3", '{"forwardPorts": 3, "postCreateCommand": [1], "remoteEnv": []}']
    )
    def test_of_another_form_says_nothing(self, tmp_path: Path, text: str) -> None:
        assert hints(tmp_path, text) == ()

    def test_shows_no_control_of_a_terminal(self, tmp_path: Path) -> None:
        [hint] = hints(tmp_path, '{"postStartCommand": "a\\u001b[2Jb\\nc"}')

        assert "\x1b" not in hint
        assert "\n" not in hint

    def test_out_of_the_repository_is_not_read(
        self, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = tmp_path_factory.mktemp("other") / "file"
        other.write_text('{"forwardPorts": [3000]}')
        (tmp_path / ".git").mkdir()
        (tmp_path / ".devcontainer.json").symlink_to(other)

        assert devcontainer.read(bounds_of(tmp_path)).hints == ()

    def test_that_is_a_named_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / ".devcontainer.json")

        assert not devcontainer.claims(tmp_path)
        assert devcontainer.read(bounds_of(tmp_path)).hints == ()

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=20),
            lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
            max_leaves=8,
        ),
        st.sampled_from(
            ["forwardPorts", "portsAttributes", "postCreateCommand", "dockerComposeFile", "remoteEnv"]
        ),
    )
    def test_of_any_values_raises_nothing(self, value: object, key: str) -> None:
        list(_hints("file", "", {key: value}))

    def test_is_json_with_comments(self) -> None:
        assert isinstance(parse_jsonc(FILE), dict)
