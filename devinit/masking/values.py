"""What a value is that stands behind a name or an option, and where it ends. Pure."""

from __future__ import annotations

import re

from devinit.masking.hints import SEPARATOR

VALUE = re.compile(
    r"(?P<quote>\\*[\"'])(?P<inside>(?:(?!(?P=quote))(?:\\.|[^\\\x1f]))*)(?P=quote)"
    r"|(?P<plain>(?:(?![\"'`](?:[\s,;:)\]}]|$))[^\s;&\x1b])+)"
)
PAIR = re.compile(r"[^;\"'\n\x1f]{1,512}(?<!&amp)(?=;[ ]?[A-Za-z][\w ]*=)")
"""A value of .NET's ends where the next pair begins, and may hold spaces: `Password=two words;Server=db`."""
REST = re.compile(r"[^;\"'\n\x1f]+")
"""The last value of such a string, behind a `;`."""
TO_THE_END = re.compile(r"[^\"'\n\x1f]+")
"""What ends with the line, the quotation or the word: cookies, what was cut."""
WORD = re.compile(rf"[^{SEPARATOR}]+")
"""A word of a command line whose words are known."""
CLOSING = ",.:)]}>`"
"""Characters that end a sentence or a list behind a value, and seldom a password."""
REFERENCE = re.compile(r"\$(?:\{\w+\}|[A-Z][A-Z0-9_]*)")
"""A variable in place of its value: `--password ${DB_PASSWORD}`."""
PROSE = frozenset(
    {
        *("a", "an", "and", "are", "as", "be", "by", "can", "cannot", "could", "expired", "for"),
        *("from", "has", "in", "invalid", "is", "it", "may", "missing", "must", "needs", "not", "of"),
        *("on", "option", "or", "required", "requires", "that", "the", "to", "was", "were", "will", "with"),
    }
)
"""Words that follow an option in a sentence: "--token is required"."""
PLAIN_WORDS = frozenset(
    {
        *(
            "string",
            "str",
            "text",
            "password",
            "secret",
            "token",
            "required",
            "optional",
            "missing",
            "invalid",
        ),
        *("include", "omit", "same-origin"),
    }
)
"""Types, what a validation says, and what `fetch` takes for `credentials`: values of a key that are no secret."""
LOOSE = re.compile(
    r"(?P<value>(?![/:~.<(\[{])(?=[^\s,;]{0,64}\d)(?=[^\s,;]{0,64}[A-Za-z])(?![a-z]+://)[^\s\"'`,;{}\[\]()<>\x1b]{6,256})"
    r"(?:\x1b\[[0-9;]*m)?(?=[,;}\])]*(?:\s*$|\s*\n)|[\"'}\])\x1f]|,?[ ]+[\w.-]{1,100}:)"
)
"""A bare value that is no word: six characters with a digit and a letter; another pair or nothing follows."""
