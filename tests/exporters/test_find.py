"""Specifies the table of formats."""

from __future__ import annotations

import json

import pytest
import yaml

from devinit.errors import UsageError
from devinit.exporters import BUILT_IN
from devinit.exporters.find import exporter_for
from tests.exporters.conftest import Exported


@pytest.mark.parametrize("form", BUILT_IN)
class TestEachFormat:
    def test_has_an_exporter_of_its_name(self, form: str) -> None:
        assert exporter_for(form).name == form

    def test_is_the_same_twice(self, form: str, exported: Exported) -> None:
        assert exported(form) == exported(form)

    def test_holds_no_password(self, form: str, exported: Exported) -> None:
        export = exported(form)

        assert "hunter2" not in repr(export)

    def test_ends_with_one_line_end(self, form: str, exported: Exported) -> None:
        for file in exported(form).files:
            assert file.text.endswith("\n")
            assert not file.text.endswith("\n\n")

    def test_takes_texts_that_mean_something_to_shells_and_parsers(
        self, form: str, exported: Exported
    ) -> None:
        text = (
            '[project]\nname = "it\'s %n ${x}"\ndetect = false\n[services.web]\nport = 3000\n'
            "command = '''python -c 'print(\"$A `b` %d\")' | cat'''\n"
            '[services.web.env]\nODD = "a\\"b\'c$d`e\\\\f%g #h\\u2028i"\n[services.two]\ncommand = "x\\ny"\n'
        )

        for file in exported(form, text).files:
            if file.path.endswith(".json"):
                assert json.loads(file.text)
            if file.path.endswith(".yaml"):
                assert [*yaml.safe_load_all(file.text)]


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no export format 'composer'") as refused:
        exporter_for("composer")

    assert "compose, devcontainer" in (refused.value.hint or "")
