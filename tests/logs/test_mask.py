"""Specifies which passwords are hidden in what is printed, and which words are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinit.logs.lines import Line
from devinit.logs.mask import KeyLines, Mask, without_keys_backwards
from devinit.logs.secrets import mask_of, noted
from devinit.masking import masked
from devinit.masking.tokens import is_line_of_key
from tests.places import state_of

if TYPE_CHECKING:
    from pathlib import Path

SHOP = {
    "DATABASE_URL": "postgresql://shop:shop@127.0.0.1:5432/shop",
    "POSTGRES_USER": "shop",
    "POSTGRES_PASSWORD": "shop",
    "REDIS_URL": "redis://:c%40rrot-cake@127.0.0.1:6379/0",
    "API_TOKEN": "tk-9f8e7d6c",
}


class TestAPasswordInAUrl:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("postgresql://shop:shop@127.0.0.1/shop", "postgresql://shop:***@127.0.0.1/shop"),
            ("postgresql+asyncpg://a:b@h/d?x=y", "postgresql+asyncpg://a:***@h/d?x=y"),
            ("redis://:pw@localhost:6379", "redis://:***@localhost:6379"),
            ('{"url": "http://u:p@h"}', '{"url": "http://u:***@h"}'),
            ("two: ftp://a:b@c ftp://d:e@f", "two: ftp://a:***@c ftp://d:***@f"),
        ],
    )
    def test_is_hidden_whoever_it_belongs_to(self, text: str, shown: str) -> None:
        assert Mask()(text) == shown

    @pytest.mark.parametrize(
        "text",
        [
            "http://localhost:5173/@vite/client",
            "http://localhost:3000?next=a@b.c",
            "git@github.com:shop/shop.git",
            "at file:///app/node_modules/@next/x.js:10:5",
            "mail me@example.com at 10:30",
        ],
    )
    def test_is_not_found_where_there_is_none(self, text: str) -> None:
        assert Mask(SHOP)(text) == text


class TestASecretOfTheEnvironment:
    def test_is_hidden_wherever_it_is_printed(self) -> None:
        mask = Mask(SHOP)

        assert mask("Authorization: Bearer tk-9f8e7d6c") == "Authorization: Bearer ***"
        assert mask("connecting with c@rrot-cake") == "connecting with ***"
        assert mask("AUTH c%40rrot-cake") == "AUTH ***"

    def test_that_is_also_a_name_is_hidden_where_it_is_called_a_password(self) -> None:
        mask = Mask(SHOP)

        assert mask("the shop is open") == "the shop is open"
        assert mask("POSTGRES_PASSWORD=shop") == "POSTGRES_PASSWORD=***"
        assert mask('{"password": "shop", "user": "shop"}') == '{"password": "***", "user": "shop"}'
        assert mask("the shop's password: shopping") == "the shop's password: shopping"

    def test_that_is_a_word_of_every_log_is_no_reason_to_make_it_unreadable(self) -> None:
        mask = Mask({"POSTGRES_PASSWORD": "password"})

        assert mask("password authentication failed") == "password authentication failed"
        assert mask("password=password") == "password=***"

    def test_is_hidden_also_when_another_one_is_part_of_it(self) -> None:
        assert Mask({"A_TOKEN": "abcdef", "B_TOKEN": "abcdefgh"})("abcdefgh") == "***"

    @pytest.mark.parametrize("spelled", ["s3cr/et@x1", "s3cr%2Fet%40x1", r"s3cr\/et@x1"])
    def test_is_hidden_as_urls_and_json_spell_it(self, spelled: str) -> None:
        mask = Mask({"API_SECRET": "s3cr/et@x1"})

        assert mask(f'INFO sent {{"to": "{spelled}"}}') == 'INFO sent {"to": "***"}'

    def test_is_hidden_with_its_quotes_escaped(self) -> None:
        assert Mask({"API_SECRET": 'a"b\\c-1234'})(r'INFO {"is": "a\"b\\c-1234"}') == 'INFO {"is": "***"}'


class TestAProject:
    def test_has_the_secrets_of_its_runtime_environment(self, tmp_path: Path) -> None:
        (tmp_path / ".env.runtime").write_text(
            "# Auto-generated\nPOSTGRES_USER=shop\nPOSTGRES_PASSWORD='two words'\nX=\nnonsense\n"
        )

        assert mask_of(tmp_path)("using two words") == "using ***"

    def test_may_have_no_environment_yet(self, tmp_path: Path) -> None:
        assert mask_of(tmp_path)("http://u:p@h and more") == "http://u:***@h and more"

    def test_are_also_those_that_single_services_are_given(self, tmp_path: Path) -> None:
        backend = {
            "API_TOKEN": "tk-back-end",
            "DB_NAME": "shopdata",
            "DB_PASSWORD": "shopdata",
            "PLAIN": "visible",
        }
        worker = {"API_TOKEN": "tk-worker's", "SSH_PRIVATE_KEY": "first line\nsecond line"}
        state_of(tmp_path).mkdir(parents=True)
        (state_of(tmp_path) / "secrets").write_text(noted([backend, worker]))

        mask = mask_of(tmp_path)

        assert mask("tk-back-end and tk-worker's") == "*** and ***"
        assert [mask(line) for line in ("first line", "second line")] == ["***", "***"]
        assert mask("visible shopdata, password=shopdata") == "visible shopdata, password=***"

    def test_are_noted_without_what_is_none(self) -> None:
        assert noted([{"PLAIN": "visible", "PORT": "8000"}, {}]) == ""


class TestAProjectWithVeryManyVariables:
    def test_has_its_secrets_hidden_as_well(self, tmp_path: Path) -> None:
        values = "".join(f"LONG_{number}={'x' * 100_000}\n" for number in range(20))
        (tmp_path / ".env.runtime").write_text(f"{values}API_TOKEN=abc-9f8e7d6c\n")
        private = state_of(tmp_path)
        private.mkdir(parents=True)
        (private / "secrets").write_text(f"{values}SECRET=tk-9f8e7d6c\n")

        assert mask_of(tmp_path)("abc-9f8e7d6c and tk-9f8e7d6c") == "*** and ***"


KEY = """-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB
q8rX0sLw3E5Kq3ZdTfFh2PaQc1Gk5hTqYvB2nQ8rX0sLw3E5Kq3ZdTfFh2PaQc1G
{last}
-----END PRIVATE KEY-----
ready""".replace("\n", "|")
ENDS = ["c1Gk5hTqYvB2nQ8r", "Zd+T", "qZwE", "c1Gk5hTqYvB2nQ8rX0sLw3E5Kq3ZdTfFh2PaQ==", "abcd"]


class TestTheLastLineOfAPrivateKey:
    """It has no sign by which it could be told from a word: only what precedes it tells."""

    @staticmethod
    def shown(*lines: str, keys: KeyLines | None = None) -> list[str]:
        keys = keys or KeyLines()
        return [masked(keys("web", line)) for line in lines]

    @pytest.mark.parametrize(
        ("before", "last"), [(before, last) for before in ("", "    ", "INFO: ") for last in ENDS][:-1]
    )
    def test_is_hidden_after_its_beginning(self, last: str, before: str) -> None:
        begin, *body, end, after = KEY.format(last=last).split("|")

        shown = self.shown(*(before + line for line in (begin, *body, end)), after)

        assert shown[1:-2] == [f"{before}***"] * len(body)
        assert shown[-1] == "ready"

    @pytest.mark.parametrize("last", ENDS[:3])
    def test_is_hidden_after_a_whole_line_where_the_beginning_is_not_there(self, last: str) -> None:
        *_, long, last, end, after = KEY.format(last=last).split("|")

        assert self.shown(long, last, end, after) == ["***", "***", end, "ready"]

    def test_is_told_for_each_service_by_itself(self) -> None:
        begin, first, _, last, *_ = KEY.format(last=ENDS[0]).split("|")
        keys = KeyLines()

        shown = [
            keys("web", begin),
            keys("worker", "compiled4"),
            keys("web", first),
            keys("worker", "Ready2Go"),
        ]

        assert shown[1::2] == ["compiled4", "Ready2Go"]
        assert keys("web", last) == "***"

    @pytest.mark.parametrize("word", ["ready", "migrated", "started 12 workers", "http://localhost:3000/"])
    def test_is_not_a_word_after_a_long_line(self, word: str) -> None:
        assert self.shown(KEY.split("|")[1], word)[1] == word

    def test_is_not_a_word_long_after_a_key_that_does_not_end(self) -> None:
        words = ["the key is broken", "the server starts", "it listens on 8000", "it is ready", "migrated"]

        assert self.shown(KEY.split("|")[0], *words)[1:] == words

    def test_is_hidden_behind_the_lines_of_a_header(self) -> None:
        lines = [
            "-----BEGIN RSA PRIVATE KEY-----",
            "Proc-Type: 4,ENCRYPTED",
            "DEK-Info: AES-128-CBC,0A1B",
            "",
            "abcd",
        ]

        assert self.shown(*lines)[-1] == "***"


def test_a_log_of_lines_like_those_of_a_key_is_read_backwards_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [Line(KEY.split("|")[1], float(number)) for number in range(3_000, 0, -1)]
    looks = 0

    def look(text: str) -> bool:
        nonlocal looks
        looks += 1
        return is_line_of_key(text)

    monkeypatch.setattr("devinit.logs.mask.is_line_of_key", look)
    found = list(without_keys_backwards(lines, KeyLines(), "web"))

    assert looks < 4 * len(lines)
    assert masked(found[0].text) == masked(found[-1].text) == "***"
