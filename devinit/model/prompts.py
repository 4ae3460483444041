"""Prompts in the unfinished last line of a program's output, by the words of well-known programs. Pure."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.model.status import PromptKind

DEBUGGERS = (
    "(Pdb)",
    "(Pdb++)",
    "ipdb>",
    "(byebug)",
    "(rdbg)",
    "(ruby)",
    "debug>",
    "(dlv)",
    "(gdb)",
    "(lldb)",
)
"""pdb, pdb++, ipdb, byebug, debug.gem (also `(rdbg@web#12)`), node inspect, delve, gdb, lldb."""
SHELLS = (">>>", "...", "In [", "irb(", "pry(")
"""The REPLs of Python, IPython, irb and pry; the prompts of the last three end with a number."""
SECRETS = ("password", "passphrase", "passcode", "secret", "token", "pin code")
CHOICES = ("[y/n]", "(y/n)", "[yes/no]", "(yes/no)", "[y/n/q]", "(y/n/q)")
UNHIDDEN = "Warning: Password input may be echoed."
"""Python's `getpass` prints this before it reads a password without being able to switch off the echo."""
LONGEST = 60
"""Characters of a prompt that are shown, from the end of the line."""


class Prompt(NamedTuple):
    """The text of a prompt on the last line, and its kind."""

    text: str
    kind: PromptKind


def prompt_in(line: str, before: str = "") -> Prompt | None:
    """Return the prompt at the end of an unfinished line without escape sequences; None for an empty line.

    `before`: the last finished line. The kind `other` is a guess: progress that is printed as dots looks the same.
    """
    text = line.strip()
    if not text:
        return None
    kind: PromptKind = "password" if before.startswith(UNHIDDEN) else kind_of(text)
    # In `(Pdb) 42` the prompt was answered: the text after a debugger's prompt is not part of it.
    shown = text.split()[-1] if kind == "debugger" else text
    return Prompt(shown if len(shown) <= LONGEST else f"…{shown[1 - LONGEST :]}", kind)


def kind_of(text: str) -> PromptKind:
    """Return the kind of prompt at the end of a line; the line has no spaces at its ends."""
    last = text.rsplit(maxsplit=1)[-1]
    if last in DEBUGGERS or (last.startswith(("(rdbg@", "(ruby@")) and last.endswith(")")):
        return "debugger"
    if last in SHELLS[:2] or (text.endswith((">", "*", ":")) and any(each in text for each in SHELLS[2:])):
        return "shell"
    lower = text.lower()
    if lower.endswith((":", "?")) and any(word in lower[-LONGEST:] for word in SECRETS):
        return "password"
    # `Overwrite? [y/N]` and `Overwrite? [y/N]:`, of click and others.
    if lower.rstrip(":? ").endswith(CHOICES) or text.endswith("?"):
        return "question"
    return "other"
