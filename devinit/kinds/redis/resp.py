"""How a command is written for Redis: https://redis.io/docs/latest/develop/reference/protocol-spec/."""

from __future__ import annotations


def command(*words: str) -> bytes:
    """Return a command as the server reads it."""
    encoded = [word.encode() for word in words]
    parts = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)
    return b"*%d\r\n%b" % (len(encoded), parts)
