"""Explain why a file of a source cannot be read, with the place of the problem.

Files are read as npm, pip and uv read them. A file that those refuse is refused here, too, and reported.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from devinit.sources.files import LARGEST_FILE, beginning_of, decoded
from devinit.system.bounds import Bounds
from devinit.system.encoding import SAVE_AS_UTF_8, UTF_16, is_utf_16
from devinit.toml import TOO_DEEP, parse_toml

TOO_MANY_DIGITS = "it holds a number with too many digits"
WIDE = f"{UTF_16}: {SAVE_AS_UTF_8}"


def problem_of(path: Path, bounds: Bounds) -> str:
    """Return why a file cannot be read, with line and column; "" when it can be read or does not exist."""
    content, problem = _content_of(path, bounds)
    if content is None:
        return problem
    if path.suffix != ".txt" and is_utf_16(content):
        return WIDE
    if path.suffix == ".json":
        return _problem_of_json(content)
    if path.suffix == ".txt":
        return WIDE if "\0" in decoded(content) else ""
    return _problem_of_toml(content)


def problem_of_text(path: Path, bounds: Bounds) -> str:
    """Return why a file in another format cannot be read; "" when it can be read or does not exist."""
    content, problem = _content_of(path, bounds)
    if content is None:
        return problem
    return WIDE if "\0" in decoded(content) else ""


def _content_of(path: Path, bounds: Bounds) -> tuple[bytes | None, str]:
    """Return the content of a file, or None and why not; "" for a link out of bounds, reported elsewhere."""
    if not bounds.holds(path):
        return None, ""
    try:
        content = beginning_of(path)
    except OSError as error:
        return None, error.strerror or str(error)
    if len(content) > LARGEST_FILE:
        return None, f"it has more than {LARGEST_FILE:,} bytes"
    return content, ""


def _problem_of_json(content: bytes) -> str:
    import json  # only repositories with Node in them need it

    try:
        text = content.decode("utf-8-sig")
        if text.strip():
            json.loads(text)
    except UnicodeDecodeError as error:
        return _not_utf8(error)
    except json.JSONDecodeError as error:
        before = error.doc[: error.pos].rstrip()
        if before.endswith(",") and error.doc[error.pos : error.pos + 1] in ("}", "]"):
            return (
                f"{place_in(error.doc, len(before) - 1)}: a comma before the closing {error.doc[error.pos]}"
            )
        return f"{place_in(error.doc, error.pos)}: {error.msg}"
    except RecursionError:
        return TOO_DEEP
    except ValueError:
        return TOO_MANY_DIGITS
    return ""


def _problem_of_toml(content: bytes) -> str:
    try:
        parse_toml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return _not_utf8(error)
    except tomllib.TOMLDecodeError as error:
        text = str(error)
        found = re.fullmatch(r"(.*) \(at (?:(line \d+, column \d+)|end of document)\)", text, re.DOTALL)
        return f"{found[2] or 'at its end'}: {found[1]}" if found else text
    except RecursionError:
        return TOO_DEEP
    except ValueError:
        return TOO_MANY_DIGITS
    return ""


def _not_utf8(error: UnicodeDecodeError) -> str:
    before = error.object[: error.start].decode(errors="replace")
    return f"{place_in(before, len(before))}: not UTF-8"


def place_in(text: str, position: int) -> str:
    """Return line and column of a character in a text, counted from 1 as in editors."""
    lines = re.split(r"\r\n?|\n", text[:position])
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"
