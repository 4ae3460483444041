"""SCRAM-SHA-256 as in PostgreSQL: a login in which both sides prove that they know the password.

RFC 5802 and 7677; https://www.postgresql.org/docs/current/sasl-authentication.html. The password is not sent.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64decode, b64encode

MECHANISM = "SCRAM-SHA-256"
MOST_ITERATIONS = 1_000_000
"""PostgreSQL uses 4096. Each iteration costs the client time, and an unknown server must not choose how much."""
_HEADER = "n,,"
"""No channel binding, because the connection has no TLS."""


class Impostor(Exception):
    """Raised when the server does not know the password, or does not speak SCRAM."""


class Scram:
    """The client side of one login."""

    def __init__(self, password: str, *, nonce: str | None = None) -> None:
        self._password = prepared(password)
        self._nonce = nonce or b64encode(os.urandom(18)).decode()
        # The startup message contains the name; PostgreSQL ignores the one in this message.
        self._first = f"n=,r={self._nonce}"
        self._server_signature = b""

    def first(self) -> bytes:
        """Return the first message."""
        return (_HEADER + self._first).encode()

    def proof(self, challenge: bytes) -> bytes:
        """Return the answer to the server's challenge: the proof that we know the password."""
        said = _attributes(challenge)
        try:
            nonce, salt, iterations = said["r"], b64decode(said["s"], validate=True), int(said["i"])
        except (KeyError, ValueError) as error:
            raise Impostor("its challenge makes no sense") from error
        if not nonce.startswith(self._nonce) or not 0 < iterations <= MOST_ITERATIONS:
            raise Impostor("its challenge makes no sense")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, iterations)
        client_key = _hmac(salted, b"Client Key")
        final = f"c={b64encode(_HEADER.encode()).decode()},r={nonce}"
        signed = b",".join((self._first.encode(), challenge, final.encode()))
        signature = _hmac(hashlib.sha256(client_key).digest(), signed)
        self._server_signature = _hmac(_hmac(salted, b"Server Key"), signed)
        proof = bytes(mine ^ theirs for mine, theirs in zip(client_key, signature, strict=True))
        return f"{final},p={b64encode(proof).decode()}".encode()

    def verify(self, final: bytes) -> None:
        """Raise Impostor unless the server has proved that it knows the password too."""
        expected = b64encode(self._server_signature).decode()
        if not self._server_signature or not hmac.compare_digest(_attributes(final).get("v", ""), expected):
            raise Impostor("it does not know the password itself")


def verifies(verifier: str, password: str) -> bool:
    """Whether the verifier that a server stores (`pg_authid.rolpassword`) was made from this password."""
    mechanism, _, rest = verifier.partition("$")
    cost, _, keys = rest.partition("$")
    iterations, _, salt = cost.partition(":")
    if mechanism != MECHANISM or not iterations.isdecimal() or not 0 < int(iterations) <= MOST_ITERATIONS:
        return False
    salted = hashlib.pbkdf2_hmac("sha256", prepared(password), b64decode(salt), int(iterations))
    stored = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    return hmac.compare_digest(b64encode(stored).decode(), keys.partition(":")[0])


def prepared(password: str) -> bytes:
    """Return a password as both sides hash it (SASLprep, RFC 4013), or unchanged if it has no such form."""
    if password.isascii():
        return password.encode()
    import stringprep  # only such a password needs it
    from unicodedata import normalize

    mapped = "".join(
        " " if stringprep.in_table_c12(letter) else letter
        for letter in password
        if not stringprep.in_table_b1(letter)
    )
    text = normalize("NFKC", mapped)
    forbidden = (stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
                 stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7,
                 stringprep.in_table_c8, stringprep.in_table_c9, stringprep.in_table_a1)  # fmt: skip
    if not text or any(table(letter) for letter in text for table in forbidden):
        return password.encode()
    return text.encode()


def _attributes(message: bytes) -> dict[str, str]:
    parts = message.decode(errors="replace").split(",")
    return {key: value for key, separator, value in (part.partition("=") for part in parts) if separator}


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")
