"""The keys that detach from a terminal, found among those that are typed: pure."""

from __future__ import annotations

from devinit.errors import UsageError

USUAL = "ctrl-]"
"""As in virsh and telnet. Ctrl-P Ctrl-Q of Docker takes a key from every shell."""
_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"


class DetachKeys:
    """One or more keys that detach when they are typed one after the other."""

    def __init__(self, text: str = USUAL) -> None:
        """`text`: as Docker writes it, `ctrl-]` or `ctrl-p,ctrl-q`. Raise UsageError for what is no key."""
        self.text = text
        self._keys = [_codes_of(word, text) for word in text.split(",")]
        self._matched: list[bytes] = []
        """What was typed of them so far."""

    @property
    def words(self) -> str:
        """The keys as a person reads them: `Ctrl-P Ctrl-Q`."""
        return " ".join(
            f"Ctrl-{word[5:].upper()}" if word.lower().startswith("ctrl-") else word
            for word in self.text.split(",")
        )

    @property
    def for_a_prompt(self) -> tuple[str, ...]:
        """The keys as prompt_toolkit names them."""
        return tuple(word.lower().replace("ctrl-", "c-") for word in self.text.split(","))

    def take(self, data: bytes) -> tuple[bytes, bool]:
        """Return what of the typed bytes goes to the service, and whether the keys were typed."""
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
                # It was not meant: what was held back is typed, and this may begin them again.
                passed += self._matched
                self._matched.clear()
                continue
            passed.append(data[:1])
            data = data[1:]
        return b"".join(passed), False


def _codes_of(word: str, text: str) -> tuple[bytes, ...]:
    """Return the bytes that a key comes as: also where a terminal reports keys by numbers (kitty, xterm)."""
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
