"""Specifies what is said of commands that start a project, where nothing else shows what it consists of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinit.config.detected import detect
from devinit.config.shown import root_shown_by
from devinit.errors import NoProject

Write = Callable[..., Path]


class TestACommandThatStartsAProject:
    @pytest.mark.parametrize(
        ("file", "text", "note"),
        [
            (
                "Makefile",
                "install:\n\tpip install -r requirements.txt\ndev: install\n\t@uvicorn app:app --port 8000\n",
                (
                    'Makefile, line 4 starts `uvicorn app:app --port 8000`; `command = "uvicorn app:app --port '
                    '${PORT}"`, `port = 8000` of a [services.NAME] in devinit.toml does so, too'
                ),
            ),
            (
                "Makefile",
                "run:\n\tcd src && $(VENV)/bin/python manage.py runserver 0.0.0.0:$(PORT)\n",
                (
                    "Makefile, line 2 starts `cd src && $(VENV)/bin/python manage.py runserver 0.0.0.0:$(PORT)`; "
                    '`directory = "src"`, `command = "python manage.py runserver 0.0.0.0:${PORT}"` of a '
                    "[services.NAME] in devinit.toml does so, too"
                ),
            ),
            (
                "justfile",
                "dev *args:\n    flask run {{args}}\n",
                (
                    'justfile, line 2 starts `flask run {{args}}`; `command = "flask run --port ${PORT}"` of a '
                    "[services.NAME] in devinit.toml does so, too"
                ),
            ),
            (
                "Taskfile.yml",
                "tasks:\n  dev:\n    cmds:\n      - npx vite --port 3000\n",
                (
                    'Taskfile.yml, line 4 starts `npx vite --port 3000`; `command = "npx vite --port ${PORT}"`, '
                    "`port = 3000` of a [services.NAME] in devinit.toml does so, too"
                ),
            ),
            (
                "start.sh",
                "#!/bin/sh\nset -e\nexec gunicorn -b :9000 'a:create(\"x\")'\n",
                (
                    'start.sh, line 3 starts `gunicorn -b :9000 \'a:create("x")\'`; `command = "gunicorn -b '
                    ':${PORT} \'a:create(\\"x\\")\'"`, `port = 9000` of a [services.NAME] in devinit.toml does so, too'
                ),
            ),
            (
                "Makefile",
                "up:\n\tdocker compose up -d\n",
                "Makefile, line 2: `docker compose up -d` is not started: it starts containers",
            ),
        ],
    )
    def test_is_named_with_what_would_start_it_here(
        self, root: Path, write: Write, file: str, text: str, note: str
    ) -> None:
        write(file, text)

        project = detect(root)

        assert (project.services, project.notes) == ({}, (note,))

    def test_is_said_where_there_is_no_project(self, root: Path, write: Write) -> None:
        write("Makefile", "dev:\n\tuvicorn app:app\n")

        with pytest.raises(NoProject) as caught:
            root_shown_by(str(root))

        assert "Makefile, line 2 starts `uvicorn app:app`" in str(caught.value.hint)

    def test_is_said_beside_databases_alone(self, root: Path, write: Write) -> None:
        write("Makefile", "dev:\n\tuvicorn app:app\n")
        write(".env", "DATABASE_URL=postgresql://localhost/x\n")

        assert any(note.startswith("Makefile, line 2 starts") for note in detect(root).notes)

    def test_is_not_said_where_something_was_found(self, root: Path, write: Write) -> None:
        write("Makefile", "dev:\n\tuvicorn app:app\n")
        write("Procfile", "web: gunicorn app\n")

        assert detect(root).notes == ()

    @pytest.mark.parametrize(
        "text",
        [
            "test:\n\tuvicorn app:app\n",
            "dev:\n\techo hello\n",
            "dev:\n\tpip install x\n",
            "run:\n\t./build.sh && cat x\n",
            "",
        ],
    )
    def test_is_none_that_starts_no_server(self, root: Path, write: Write, text: str) -> None:
        write("Makefile", text)

        assert detect(root).notes == ()

    def test_beyond_a_link_out_of_the_repository_is_not_read(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "other").write_text("dev:\n\tuvicorn app:app\n")
        (root / "Makefile").symlink_to(tmp_path / "other")

        assert detect(root).notes == ()


LINES = st.lists(
    st.sampled_from(
        ["dev:", "run: x", "tasks:", "  dev:", "    cmds:", "\tuvicorn a:b", "\t@$(PY) -m x", "      - vite", "\t'", "\\"]
    ),
    max_size=8,
).map("\n".join)  # fmt: skip


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(LINES, st.text(max_size=60)))
def test_no_text_stops_the_reading(root: Path, text: str) -> None:
    for file in ("Makefile", "Taskfile.yml", "start.sh"):
        (root / file).write_bytes(text.encode(errors="replace"))

    assert detect(root).services == {}
