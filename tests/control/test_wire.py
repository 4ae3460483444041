"""Specifies `devinit.control.wire`: JSON as the package `json` has it, without loading that."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.control import wire

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner))

WITHOUT_C = """
import sys
sys.modules["_json"] = None
from devinit.control import wire
assert "json" in sys.modules
print(wire.encode(wire.decode(sys.stdin.buffer.read())))
"""


class TestEncode:
    @given(values)
    def test_says_what_json_dumps_says(self, value: object) -> None:
        assert wire.encode(value) == json.dumps(value, ensure_ascii=False)

    def test_takes_tuples_for_lists(self) -> None:
        assert wire.encode({"services": ("a", "b")}) == '{"services": ["a", "b"]}'

    def test_keeps_bytes_that_are_no_text_for_whoever_encodes_the_line(self) -> None:
        assert wire.encode("caf\udce9") == '"caf\udce9"'

    def test_refuses_what_json_does_not_have(self) -> None:
        with pytest.raises(TypeError, match="JSON has no bytes"):
            wire.encode({"key": b"bytes"})


class TestDecode:
    @given(values)
    def test_reads_what_json_wrote(self, value: object) -> None:
        assert wire.decode(json.dumps(value).encode()) == value
        assert wire.decode(wire.encode(value).encode()) == value

    def test_reads_half_a_pair_of_surrogates_as_json_does(self) -> None:
        assert wire.decode(b'"\xed\xb3\xa9"') == json.loads(b'"\xed\xb3\xa9"') == "\udce9"

    @pytest.mark.parametrize("line", [b"", b"HTTP/1.1 400 Bad Request", b'{"a": 1', b'{"a" 1}', b"\xff\xfe"])
    def test_refuses_what_is_no_json(self, line: bytes) -> None:
        with pytest.raises(ValueError, match=r".+"):
            wire.decode(line)


def test_another_python_does_the_same_with_the_package() -> None:
    line = wire.encode({"text": 'é\n"\x01', "number": 1.5, "list": [None, True]})
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_C], input=line, capture_output=True, text=True, timeout=30, check=True
    )
    assert said.stdout.strip() == line
