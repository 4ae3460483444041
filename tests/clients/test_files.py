"""Specifies which files of the client are replaced when it is written again."""

from __future__ import annotations

import json

import pytest

from devinit.clients.files import MANIFEST, Standing, names, standing, text_of


class TestAFileOfTheClient:
    @pytest.mark.parametrize("name", names())
    def test_is_the_same_when_it_is_written_again(self, name: str) -> None:
        assert standing(text_of(name, "1.0.0"), text_of(name, "1.0.0")) is Standing.SAME

    def test_is_the_same_with_other_line_ends(self) -> None:
        text = text_of("devinit.js", "1.0.0")

        assert standing(text.replace("\n", "\r\n"), text) is Standing.SAME

    @pytest.mark.parametrize("name", names())
    def test_of_another_version_is_an_earlier_one(self, name: str) -> None:
        assert standing(text_of(name, "1.0.0"), text_of(name, "1.1.0")) is Standing.EARLIER

    @pytest.mark.parametrize(
        "there",
        [
            "export const mine = 1;\n",
            text_of("devinit.js", "1.0.0") + "// mine\n",
            '{"name": "shop"}',
            "{",
            "[]",
        ],
    )
    def test_is_foreign_when_a_person_has_written_or_edited_it(self, there: str) -> None:
        assert standing(there, text_of("devinit.js", "1.0.0")) is Standing.FOREIGN

    def test_is_missing_when_there_is_none(self) -> None:
        assert standing(None, text_of("devinit.js", "1.0.0")) is Standing.MISSING


class TestThePackage:
    def test_has_every_file_that_its_exports_name(self) -> None:
        manifest = json.loads(text_of(MANIFEST, "1.0.0"))

        targets = [
            target
            for entry in manifest["exports"].values()
            for target in _leaves(entry)
            if target != f"./{MANIFEST}"
        ]

        assert {target.removeprefix("./") for target in targets} <= {*names()}
        assert len(targets) > 10

    def test_needs_no_other_package(self) -> None:
        assert "dependencies" not in json.loads(text_of(MANIFEST, "1.0.0"))


def _leaves(entry: object) -> list[str]:
    if isinstance(entry, dict):
        return [leaf for each in entry.values() for leaf in _leaves(each)]
    return [str(entry)]
