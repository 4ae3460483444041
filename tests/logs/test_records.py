"""Specifies how structured lines are told apart, and how they are shown."""

from __future__ import annotations

import pytest

from devinit.logs.levels import Level
from devinit.logs.records import record_of
from devinit.logs.requests import is_request
from devinit.logs.shown import below, folded, unfolded

PINO = (
    '{"level":50,"time":1790000000123,"pid":7,"hostname":"box","msg":"cannot pay",'
    '"err":{"type":"Error","message":"timeout","stack":"Error: timeout\\n    at pay (pay.js:1:2)"},"order":17}'
)


def shown(text: str) -> str:
    record = record_of(text)
    assert record is not None
    return "".join(part for part, _ in folded(record, with_time=False))


class TestAStructuredLine:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (PINO, "ERROR cannot pay  err=Error: timeout order=17"),
            ('{"name":"shop","hostname":"b","pid":7,"level":30,"msg":"up","time":"2026-01-01T00:00:00Z","v":0}',
             "INFO  up  name=shop"),
            ('{"event": "in", "level": "warning", "timestamp": "2026-01-01T00:00:00Z", "user": "ann lee"}',
             'WARN  in  user="ann lee"'),
            ('{"level":"error","ts":1790000000.12,"caller":"a.go:12","msg":"boom"}', "ERROR boom  caller=a.go:12"),
            ('{"level":"info","time":1790000000,"message":"up"}', "INFO  up"),
            (('{"asctime": "2026-01-01 00:00:00,123", "levelname": "ERROR", "message": "boom",'
             ' "exc_info": "Traceback (most recent call last):\\n  File\\nValueError: no"}'),
             "ERROR boom  exc_info=ValueError: no"),
            ('{"timestamp":"2026-01-01T00:00:00Z","level":"WARN","fields":{"message":"slow","ms":7},"target":"app"}',
             "WARN  slow  target=app ms=7"),
            (('{"text":"x\\n","record":{"level":{"name":"DEBUG","no":10},"message":"m","name":"app",'
             '"time":{"repr":"x","timestamp":1790000000.1}}}'), "DEBUG m  name=app"),
            ('{"@timestamp":"2026-01-01T00:00:00Z","@version":"1","message":"up","level":"INFO","level_value":20000}',
             "INFO  up"),
            ('{"@t":"2026-01-01T00:00:00Z","@mt":"Hello {Name}","@l":"Warning","Name":"ann"}',
             "WARN  Hello {Name}  Name=ann"),
            ('{"message":"m","context":{"a":1},"level":400,"level_name":"ERROR","channel":"app"}',
             'ERROR m  context={"a":1} channel=app'),
            ('time=2026-01-01T00:00:00Z level=INFO msg="on port" port=8080', "INFO  on port  port=8080"),
            ('ts=2026-01-01T00:00:00Z level=warn msg="a \\"b\\""', 'WARN  a "b"'),
            ("method=GET path=/jobs format=json status=200 duration=58.33", "GET /jobs 200  format=json duration=58.33"),
        ],
    )  # fmt: skip
    def test_shows_level_and_message_first(self, text: str, expected: str) -> None:
        assert shown(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "hello",
            '{"status":"ok"}',
            '{"level":30,"msg":"cut',
            "[1, 2]",
            "x = 1",
            "SECRET=1",
            "GET /x?level=info 200",
            'level=info msg="no end',
            '{"a":' * 5000 + "1" + "}" * 5000,
        ],
    )
    def test_is_nothing_else(self, text: str) -> None:
        assert record_of(text) is None

    @pytest.mark.parametrize(
        "time", ["1790000000", "1790000000123", "1790000000123456789", '"2026-09-21T14:13:20Z"']
    )
    def test_has_a_time_in_any_unit(self, time: str) -> None:
        record = record_of(f'{{"level":30,"time":{time},"msg":"x"}}')

        assert record is not None
        assert record.time is not None
        assert int(record.time) == 1_790_000_000

    def test_shows_all_its_fields_when_it_is_unfolded(self) -> None:
        record = record_of(PINO)
        assert record is not None

        rows = ["".join(part for part, _ in pieces).strip() for pieces in unfolded(record)]

        assert rows == [
            "pid          7",
            "hostname     box",
            "err.type     Error",
            "err.message  timeout",
            "err.stack    Error: timeout",
            "at pay (pay.js:1:2)",
            "order        17",
        ]
        assert list(below(record)) == ["Error: timeout", "    at pay (pay.js:1:2)"]

    @pytest.mark.parametrize(
        "text",
        [
            f'{{"level":"info","msg":"x","ts":{"9" * 400}}}',
            f'{{"level":"info","msg":"x","instant":{{"epochSecond":{"9" * 400}}}}}',
            'level=info msg=x ts="²³"',
            "level=info msg=x ts=².²",
            '{"level":"info","msg":"x","time":"0000-00-00T99:99:99+99:99"}',
            '{"level":"info","msg":"x","method":"GET","status":"²"}',
            f'{{"level":"info","msg":"x","req":{{}},"res":{{"statusCode":"{"9" * 5000}"}}}}',
            f'{{"level":{"9" * 400},"msg":"x","req":{{}},"status":{"9" * 400}}}',
            '{"level":"info","msg":"x","req":{},"status":true}',
        ],
    )
    def test_is_shown_whatever_stands_where_a_time_or_a_status_is_expected(self, text: str) -> None:
        record = record_of(text)

        assert record is not None
        assert ("x", "message") in folded(record)
        assert list(unfolded(record))
        assert is_request(text, record) is False

    def test_that_states_no_level_has_none(self) -> None:
        record = record_of('{"msg":"x"}')

        assert record is not None
        assert record.level is None
        assert Level.INFO.word == "info"
