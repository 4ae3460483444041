"""The encoding of commands for Redis: https://redis.io/docs/latest/develop/reference/protocol-spec/."""

from __future__ import annotations


def command(*words: str) -> bytes:
    """Return a command in the server's format."""
    encoded = [word.encode() for word in words]
    parts = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)
    return b"*%d\r\n%b" % (len(encoded), parts)
