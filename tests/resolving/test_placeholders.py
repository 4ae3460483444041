"""Specifies placeholders for what an export does not write down."""

from __future__ import annotations

import shlex
from urllib.parse import quote

import pytest

from devinit.errors import ConfigError
from devinit.model.resolved import Reference, Value
from devinit.resolving.placeholders import placeholder, referred_to, value_of, variable_of


def test_a_placeholder_passes_through_urls_and_shells() -> None:
    text = placeholder("DB_PASSWORD")

    assert quote(text, safe="") == text
    assert shlex.quote(text) == text
    assert value_of(f"a{text}b") == Value(("a", Reference("DB_PASSWORD"), "b"))


def test_a_text_without_one_is_itself() -> None:
    assert value_of("plain") == Value(("plain",))
    assert value_of("") == Value(())


def test_two_beside_each_other_are_two() -> None:
    assert value_of(placeholder("A") + placeholder("B")).variables == ("A", "B")


@pytest.mark.parametrize(
    ("name", "text"), [("SMTP_PASSWORD", "x1"), ("ANY", "amqp://u:secretpw@h/"), ("API_TOKEN", "abc")]
)
def test_a_secret_that_is_written_down_becomes_a_reference_to_its_variable(name: str, text: str) -> None:
    assert variable_of(name, text) == Value((Reference(name),))


def test_names_with_a_default_are_not_asked_for() -> None:
    assert referred_to([("environment.X", "${A} ${B:-x} $C $${D}"), ("environment.Y", "${E:-${F}}")]) == {"A"}


def test_a_text_that_is_none_is_named_by_its_key() -> None:
    with pytest.raises(ConfigError, match=r"^services\.web\.env\.TOKEN: "):
        referred_to([("services.web.env.TOKEN", "${not a name}")])


def test_a_text_of_a_repository_that_looks_like_one_stays_what_it_is() -> None:
    for name in ("X}; rm -rf ~; ${X", "\udcff"):
        text = f"devinit0ref{name.encode(errors='surrogateescape').hex()}z"

        assert value_of(text) == Value((text,))
