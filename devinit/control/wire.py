"""JSON encoding and decoding for commands, with the C functions that the package `json` uses.

The package itself compiles patterns with `re`: 5 ms, a quarter of the time until a request is sent.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    # The sender has validated data on the wire; it is passed on unchanged.
    Json = dict[str, Any]

write: Callable[[Any, bool], Iterable[str]]
scan: Callable[[str, int], tuple[Any, int]]

try:
    from _json import encode_basestring, make_encoder, make_scanner
except ImportError:  # another Python than CPython: the package does the same, later
    import json

    write = json.JSONEncoder(ensure_ascii=False).iterencode
    scan = json.JSONDecoder().raw_decode
else:

    class Plainly:
        """The options of the scanner: no hooks."""

        strict = True
        object_hook = object_pairs_hook = array_hook = None
        parse_int, parse_float, parse_constant = int, float, float

    def refuse(value: object) -> object:
        """Raise TypeError for a value that JSON does not support."""
        raise TypeError(f"JSON has no {type(value).__name__}")

    # Without a check for cycles, without indentation, unsorted, as json.dumps calls it.
    write = make_encoder(None, refuse, encode_basestring, None, ": ", ", ", False, False, False)  # noqa: FBT003
    scan = make_scanner(Plainly)  # type: ignore[arg-type]  # it reads the attributes of whatever it is given


def encode(value: Any) -> str:
    """Return a value as JSON in which text stays readable. Any: JSON's free form."""
    return "".join(write(value, False))  # noqa: FBT003  json's "in one go"; an indentation of 0, to C


def decode(line: bytes) -> Any:
    """Return the value in a line. Raise ValueError if it is not JSON."""
    text = line.decode(errors="surrogatepass")  # as json.loads does
    try:
        value, _ = scan(text, 0)
    except StopIteration:
        raise ValueError(f"this is no JSON: {text[:40]!r}") from None
    return value
