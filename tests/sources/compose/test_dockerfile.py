"""Specifies what is read of a Dockerfile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.sources.compose.dockerfile import Stage, stage_of


def stage(text: str, target: str = "") -> Stage:
    found = stage_of(text, target)
    assert found is not None
    return found


class TestTheStage:
    def test_is_the_last_one(self) -> None:
        assert stage("FROM node AS build\nCMD a\nFROM nginx:1\nEXPOSE 80\n").image == "nginx:1"

    def test_is_the_one_that_is_asked_for(self) -> None:
        assert stage("FROM node AS Dev\nCMD a\nFROM nginx\n", "dev").command == ("sh", "-c", "a")

    def test_has_what_the_stage_below_it_has(self) -> None:
        found = stage('FROM python AS base\nWORKDIR /app\nCMD ["a"]\nFROM base\nCOPY . .\nWORKDIR src\n')

        assert (found.image, found.folder, found.command) == ("python", "/app/src", ("a",))

    def test_passes_over_options_and_comments(self) -> None:
        assert stage("# syntax=1\nARG X\nFROM --platform=linux python\n").image == "python"

    def test_is_none_without_from(self) -> None:
        assert stage_of("CMD a\n") is None


class TestTheCommand:
    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ('CMD ["uvicorn", "main:app"]', ("uvicorn", "main:app")),
            ("CMD uvicorn main:app", ("sh", "-c", "uvicorn main:app")),
            ("cmd uvicorn \\\n  # why\n  main:app", ("sh", "-c", "uvicorn   main:app")),
            ("CMD [broken", ("sh", "-c", "[broken")),
            ("CMD []", ()),
        ],
    )
    def test_is_words(self, line: str, words: tuple[str, ...]) -> None:
        assert tuple(" ".join(each.split()) for each in stage(f"FROM x\n{line}\n").command) == tuple(
            " ".join(each.split()) for each in words
        )

    def test_has_its_line(self) -> None:
        found = stage("FROM x\nRUN a \\\n  b\n\nCMD c\n")

        assert (found.command_line, found.says) == (5, "CMD c")

    def test_is_taken_back_by_an_entrypoint_after_it(self) -> None:
        found = stage('FROM x\nCMD a\nENTRYPOINT ["/entrypoint.sh"]\n')

        assert (found.command, found.entrypoint) == ((), ("/entrypoint.sh",))

    def test_is_not_found_in_a_text_that_is_copied(self) -> None:
        assert stage("FROM x\nCOPY <<EOF /run.sh\nCMD wrong\nEOF\nCMD right\n").command[-1] == "right"


class TestTheRest:
    def test_is_ports_and_what_is_copied(self) -> None:
        found = stage(
            "FROM x\nEXPOSE 80/tcp 8000 $P\nCOPY --chown=a api/ ./\nCOPY --from=b /x /y\nADD a b /c\n"
        )

        assert found.exposed == (80, 8000)
        assert found.copied == (("api/", "./"), ("a", "/c"), ("b", "/c"))

    @given(
        st.lists(
            st.sampled_from(["FROM", "CMD", "COPY", "a", "[", "]", '"', "\\", "\n", "<<E", "EXPOSE", "9" * 9])
        )
    )
    def test_of_any_text_raises_nothing(self, words: list[str]) -> None:
        stage_of(" ".join(words))
