"""Specifies how other people's YAML is read: every node with its line, and whatever it says within bounds."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.sources import yaml_nodes
from devinit.sources.yaml_nodes import Document, Mapping, Node, Scalar, Sequence, listed, parsed

FILE = "compose.yaml"


def plain(node: Node | None) -> object:
    """Return a node as what it says."""
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return [plain(each) for each in node.items]
        case Mapping():
            return {key: plain(value) for key, value in node.items.items()}
    return None


def read(text: str) -> Document:
    return parsed(text, FILE)


class TestADocument:
    def test_is_texts_lists_and_mappings(self) -> None:
        assert plain(read("a: 1\nb: [x, 'y']\nc:\n  d: no\n").root) == {
            "a": "1",
            "b": ["x", "y"],
            "c": {"d": "no"},
        }

    def test_keeps_numbers_and_ports_as_they_are_written(self) -> None:
        assert plain(read("[22:22, 0x10, 1.10, 010, true]").root) == ["22:22", "0x10", "1.10", "010", "true"]

    @pytest.mark.parametrize("value", ["", "~", "null"])
    def test_has_null_for_nothing(self, value: str) -> None:
        assert plain(read(f"a: {value}\n").root) == {"a": None}

    def test_has_a_text_for_null_in_quotes(self) -> None:
        assert plain(read("a: ''\n").root) == {"a": ""}

    def test_knows_the_line_of_each_node(self) -> None:
        root = read("# first\na: 1\r\nb:\n  - x\n  - y  # why\n").root

        assert isinstance(root, Mapping)
        assert (root.keys["a"].line, root.keys["b"].line) == (2, 3)
        assert [(str(each.at), each.at.says) for each in listed(root.items["b"])] == [
            ("compose.yaml, line 4", "  - x"),
            ("compose.yaml, line 5", "  - y  # why"),
        ]

    def test_takes_the_first_of_several(self) -> None:
        assert plain(read("a: 1\n---\na: 2\n").root) == {"a": "1"}

    def test_may_be_empty(self) -> None:
        assert read("") == Document(None)


class TestAnAlias:
    def test_is_what_its_anchor_names(self) -> None:
        assert plain(read("a: &x {b: 1}\nc: *x\n").root) == {"a": {"b": "1"}, "c": {"b": "1"}}

    def test_of_a_merge_key_adds_what_is_not_there(self) -> None:
        document = read("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n")

        assert plain(document.root) == {"a": {"b": "1", "c": "2"}, "d": {"c": "3", "b": "1"}}

    def test_of_a_list_of_merges_counts_the_first(self) -> None:
        document = read("x: &x {b: 1}\ny: &y {b: 2, c: 3}\nz: {<<: [*x, *y]}\n")

        assert plain(document.root)["z"] == {"b": "1", "c": "3"}  # type: ignore[index]  # a mapping, or it fails

    def test_within_itself_is_passed_over_and_said(self) -> None:
        document = read("a: &x\n  b: *x\n")

        assert plain(document.root) == {"a": {"b": None}}
        assert document.problems == (
            "compose.yaml, line 2: *x refers to itself, or to nothing, and is passed over",
        )


class TestATag:
    @pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!secret", "!!binary", "!reset"])
    def test_makes_nothing(self, tag: str) -> None:
        root = read(f"a: {tag} [x]\n").root

        assert plain(root) == {"a": ["x"]}


class TestWhatIsWrong:
    def test_is_said_with_its_line(self) -> None:
        document = read("a: 1\nb: [1,\nc: }\n")

        assert document.root is None
        assert document.problems[0].startswith("compose.yaml, line 3: cannot be read: ")

    def test_of_a_key_that_is_there_twice_counts_the_first(self) -> None:
        document = read("a: 1\na: 2\n")

        assert plain(document.root) == {"a": "1"}
        assert document.problems == ("compose.yaml, line 2: `a` is there twice; the first one counts",)

    def test_of_a_key_that_is_no_text_leaves_the_others(self) -> None:
        document = read("? [a]\n: 1\nb: 2\n")

        assert plain(document.root) == {"b": "2"}
        assert document.problems == ("compose.yaml, line 1: a key that is no text is passed over",)

    def test_of_a_character_that_yaml_does_not_allow(self) -> None:
        assert read("a: \x07\n").root is None


class TestAHostileDocument:
    def test_of_many_aliases_costs_what_it_is_long(self) -> None:
        text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 500)
        )
        started = time.monotonic()

        assert read(text).root is not None
        assert time.monotonic() - started < 5

    def test_of_merge_keys_upon_merge_keys_is_refused(self) -> None:
        text = "a0: &a0 {k0: 1}\n" + "".join(
            f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}\n" for n in range(1, 2_000)
        )

        document = read(text)

        assert document.root is None
        assert "merge keys copy too much" in document.problems[0]

    @pytest.mark.parametrize("text", ["[" * 100_000, "a: " + "[" * 100 + "]" * 100, "- " * 50_000])
    def test_of_many_levels_is_refused(self, text: str) -> None:
        assert read(text).root is None

    def test_of_many_values_is_refused(self) -> None:
        document = read("[" + "x," * yaml_nodes.MOST_NODES + "]")

        assert document.problems == ("compose.yaml: cannot be read: it has more than 50,000 values",)

    @given(st.text(alphabet="ab:-[]{}&*<!|>'\"#\n \t?,%@`~0\\", max_size=60))
    def test_of_any_text_raises_nothing(self, text: str) -> None:
        read(text)
