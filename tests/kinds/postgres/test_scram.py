"""Specifies the login that proves a password to both sides without sending it."""

from __future__ import annotations

import pytest

from devinit.kinds.postgres.scram import Impostor, Scram, prepared, verifies

# RFC 7677, section 3; the name in the first message is left out, as PostgreSQL's clients do.
NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = f"{NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
CHALLENGE = f"r={SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode()


class TestALogin:
    def test_sends_a_proof_and_not_the_password(self) -> None:
        scram = Scram("pencil", nonce=NONCE)

        said = scram.first() + scram.proof(CHALLENGE)

        assert said.startswith(f"n,,n=,r={NONCE}c=biws,r={SERVER_NONCE},p=".encode())
        assert b"pencil" not in said

    def test_refuses_a_server_that_does_not_know_the_password(self) -> None:
        scram = Scram("pencil", nonce=NONCE)
        scram.proof(CHALLENGE)

        with pytest.raises(Impostor, match="does not know the password"):
            scram.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")

    def test_refuses_a_server_that_skips_the_challenge(self) -> None:
        with pytest.raises(Impostor):
            Scram("pencil").verify(b"v=")

    @pytest.mark.parametrize(
        "challenge",
        [
            b"",
            b"r=somebody-elses,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            f"r={SERVER_NONCE},s=not base64,i=4096".encode(),
            f"r={SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0".encode(),
            f"r={SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999".encode(),
        ],
    )
    def test_refuses_a_challenge_that_makes_no_sense(self, challenge: bytes) -> None:
        with pytest.raises(Impostor):
            Scram("pencil", nonce=NONCE).proof(challenge)


class TestWhatAServerKeeps:
    # RFC 7677's "pencil", as `pg_authid.rolpassword` has it.
    KEPT = (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )

    def test_was_made_from_one_password_and_no_other(self) -> None:
        assert verifies(self.KEPT, "pencil")
        assert not verifies(self.KEPT, "shop")

    @pytest.mark.parametrize("kept", ["", "md5c4ca", "SCRAM-SHA-256$0:x$y:z", "SCRAM-SHA-256$", "secret"])
    def test_in_another_form_was_made_from_none(self, kept: str) -> None:
        assert not verifies(kept, "pencil")


class TestAPasswordBeyondAscii:
    @pytest.mark.parametrize(
        ("password", "hashed"),
        [
            ("I\u00adX", "IX"),
            ("\u2168", "IX"),
            ("\u00aa", "a"),
            ("p\u00e4ss\u00a0wort", "p\u00e4ss wort"),
            ("\u0007\u00e4", "\u0007\u00e4"),
        ],
    )
    def test_is_hashed_in_the_form_that_the_server_hashed(self, password: str, hashed: str) -> None:
        assert prepared(password) == hashed.encode()
