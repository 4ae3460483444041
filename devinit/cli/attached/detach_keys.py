"""Detection of the detach keys in typed input: pure."""

from __future__ import annotations

from devinit.errors import UsageError

USUAL = "ctrl-]"
"""The same key as in virsh and telnet. Docker's Ctrl-P Ctrl-Q would take Ctrl-P away from every shell."""
_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"


class DetachKeys:
    """One or more keys that detach when they are typed in sequence."""

    def __init__(self, text: str = USUAL) -> None:
        """`text`: keys in Docker's notation, `ctrl-]` or `ctrl-p,ctrl-q`. Raise UsageError for an invalid key."""
        self.text = text
        self._keys = [_codes_of(word, text) for word in text.split(",")]
        self._matched: list[bytes] = []
        """The part of the sequence that has been typed so far."""

    @property
    def words(self) -> str:
        """The keys for a message: `Ctrl-P Ctrl-Q`."""
        return " ".join(
            f"Ctrl-{word[5:].upper()}" if word.lower().startswith("ctrl-") else word
            for word in self.text.split(",")
        )

    @property
    def for_a_prompt(self) -> tuple[str, ...]:
        """The keys under prompt_toolkit's names."""
        return tuple(word.lower().replace("ctrl-", "c-") for word in self.text.split(","))

    def take(self, data: bytes) -> tuple[bytes, bool]:
        """Return the typed bytes that go to the service, and whether the sequence is complete."""
        passed: list[bytes] = []
        while data:
            code = next((each for each in self._keys[len(self._matched)] if data.startswith(each)), None)
            if code is not None:
                self._matched.append(code)
                data = data[len(code) :]
                if len(self._matched) == len(self._keys):
                    self._matched.clear()
                    return b"".join(passed), True
                continue
            if self._matched:
                # The sequence is broken: its withheld bytes go to the service, and this byte may begin a new one.
                passed += self._matched
                self._matched.clear()
                continue
            passed.append(data[:1])
            data = data[1:]
        return b"".join(passed), False


def _codes_of(word: str, text: str) -> tuple[bytes, ...]:
    """Return the byte sequences of a key, also from terminals that report keys by number (kitty, xterm)."""
    key = word.strip().lower()
    if key.startswith("ctrl-") and len(key) == len("ctrl-?") and key[-1] in _CONTROL:
        number = ord(key[-1])
        plain = bytes((_CONTROL.index(key[-1]),))
        return plain, b"\x1b[%d;5u" % number, b"\x1b[27;5;%d~" % number
    if len(word) == 1 and word.isascii() and word.isprintable():
        return (word.encode(),)
    raise UsageError(
        f"{text!r} names no keys: {word!r} is none",
        hint="write ctrl-] or ctrl-p,ctrl-q: ctrl- with a letter or one of @[\\]^_, or one character",
    )
