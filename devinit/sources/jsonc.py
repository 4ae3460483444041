"""Parse JSON with comments and trailing commas, as JavaScript tools allow it in their files. Pure."""

from __future__ import annotations

import json
import re

_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_LAST_COMMA = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s{0,99}[}\]])')


def parse_jsonc(text: str) -> object:
    """Return the value of a text; None when it cannot be parsed."""
    plain = _COMMENT.sub(lambda found: found[1] or "", text)
    try:
        return json.loads(_LAST_COMMA.sub(lambda found: found[1] or "", plain))
    except (ValueError, RecursionError):
        return None
