"""Specifies how an environment is encoded for the kernel: as Python does it, and in one go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.model.process import ProcessSpec
from devinit.system import forking
from devinit.system.forking import encoded, start

NAMES = st.text(st.characters(exclude_characters="=\0", exclude_categories=["Cs"]))
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


class TestAnEnvironment:
    @given(st.dictionaries(NAMES, VALUES))
    def test_is_encoded_as_python_encodes_each_variable(self, environment: dict[str, str]) -> None:
        each = [os.fsencode(name) + b"=" + os.fsencode(value) for name, value in environment.items()]

        assert encoded(environment) == each

    def test_may_have_bytes_that_are_no_text(self) -> None:
        assert encoded({"A": os.fsdecode(b"\xff")}) == [b"A=\xff"]

    @pytest.mark.parametrize(
        ("environment", "problem"),
        [
            ({"A": "b\0C=d"}, "null byte"),
            ({"A\0": ""}, "null byte"),
            ({"A": "", "B": "\0"}, "null byte"),
            ({"A=B": "c"}, "variable name"),
        ],
    )
    def test_is_refused_where_it_would_become_another_one(
        self, environment: dict[str, str], problem: str
    ) -> None:
        with pytest.raises(ValueError, match=problem):
            encoded(environment)

    def test_takes_no_step_for_each_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encode, calls = os.fsencode, list[str]()

        def count(text: str) -> bytes:
            calls.append(text)
            return encode(text)

        monkeypatch.setattr(os, "fsencode", count)
        spec = ProcessSpec(
            argv=("true",), directory=Path("/"), environment={f"A{number}": "b" for number in range(650)}
        )
        null = os.open(os.devnull, os.O_RDWR)

        try:
            code = start(spec, "/bin/true", stdin=null, output=null, keep=()).wait()
        finally:
            os.close(null)

        assert code == 0
        assert len(calls) <= 2 * len(spec.argv)


@pytest.mark.parametrize("is_known", [True, False])
class TestAStart:
    @pytest.fixture(autouse=True)
    def _way(self, is_known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """Start as on a Python whose `fork_exec` is known, and as on a later one."""
        monkeypatch.setattr(forking, "_IS_KNOWN", is_known)

    def test_gives_the_program_its_folder_environment_and_session(self, tmp_path: Path) -> None:
        reading, writing = os.pipe()
        spec = ProcessSpec(
            argv=("sh", "-c", 'echo "$X $(pwd)"; exit 3'),
            directory=tmp_path,
            environment={"X": "given", "PATH": os.environ["PATH"]},
        )
        null = os.open(os.devnull, os.O_RDONLY)

        child = start(spec, "/bin/sh", stdin=null, output=writing, keep=())

        os.close(writing)
        assert os.getsid(child.pid) == child.pid
        assert child.wait() == 3
        assert os.read(reading, 4096).decode() == f"given {tmp_path}\n"
        os.close(reading)
        os.close(null)

    def test_reports_a_program_that_cannot_be_run(self, tmp_path: Path) -> None:
        spec = ProcessSpec(argv=("it",), directory=tmp_path, environment={})

        with pytest.raises(PermissionError):
            start(spec, str(tmp_path), stdin=0, output=1, keep=())
