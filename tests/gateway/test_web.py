"""Specifies what the gateway answers itself, and to whom."""

from __future__ import annotations

import pytest

from devinit.gateway.snapshot import ServiceNow, origins_of
from devinit.gateway.web import notices
from devinit.gateway.web.door import address_of, cors, is_of_this_machine, refusal_of
from devinit.gateway.web.events import event, news
from devinit.gateway.web.http import Request, parsed

OURS = 1000
ORIGINS = {"http://localhost:3000", "http://shop.localhost:7080"}


def asked(method: str = "GET", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method=method, path="/.well-known/devinit/", query={}, headers=named)


def now(phase: str = "ready", port: int = 8000, at: float = 1.0) -> ServiceNow:
    url = f"http://localhost:{port}"
    return {"url": url, "urls": [url], "port": port, "phase": phase, "ready": phase == "ready", "at": at}


class TestTheDoor:
    @pytest.mark.parametrize("uid", [OURS, 0])
    def test_is_open_to_this_user_and_root(self, uid: int) -> None:
        assert refusal_of(asked(), uid, OURS, ORIGINS) is None

    @pytest.mark.parametrize("uid", [1001, 65534, None])
    def test_is_shut_to_other_users_and_to_whom_the_kernel_does_not_know(self, uid: int | None) -> None:
        refusal = refusal_of(asked(), uid, OURS, ORIGINS)

        assert refusal is not None
        assert refusal.status == 403

    def test_is_open_to_pages_of_the_project_and_to_no_others(self) -> None:
        assert refusal_of(asked(origin="http://localhost:3000"), OURS, OURS, ORIGINS) is None
        for origin in ("http://evil.example", "null", "http://localhost:3001", "http://shop.localhost"):
            assert refusal_of(asked(origin=origin), OURS, OURS, ORIGINS) is not None

    def test_is_shut_to_what_another_site_embeds(self) -> None:
        assert refusal_of(asked(sec_fetch_site="cross-site"), OURS, OURS, ORIGINS) is not None
        assert refusal_of(asked(sec_fetch_site="same-origin"), OURS, OURS, ORIGINS) is None

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "BREW"])
    def test_takes_no_orders(self, method: str) -> None:
        refusal = refusal_of(asked(method), OURS, OURS, ORIGINS)

        assert refusal is not None
        assert refusal.status == 405

    def test_lets_a_page_of_the_project_read_the_answer_and_never_every_page(self) -> None:
        assert cors(asked(origin="http://localhost:3000"), ORIGINS)["Access-Control-Allow-Origin"] == (
            "http://localhost:3000"
        )
        assert "Access-Control-Allow-Origin" not in cors(asked(origin="http://evil.example"), ORIGINS)
        assert "Access-Control-Allow-Origin" not in cors(asked(), ORIGINS)

    @pytest.mark.parametrize(
        ("host", "is_ours"),
        [
            ("nope.shop.localhost:7080", True),
            ("LOCALHOST", True),
            ("x.localhost.", True),
            ("evil.example", False),
            ("localhost.evil.example", False),
            ("notlocalhost", False),
            ("", False),
        ],
    )
    def test_knows_names_that_no_name_server_can_give_away(self, host: str, is_ours: bool) -> None:
        assert is_of_this_machine(host) is is_ours

    @pytest.mark.parametrize(
        ("peer", "address"),
        [("127.0.0.1:4711", ("127.0.0.1", 4711)), ("[::1]:4711", ("::1", 4711)), ("", None), ("x", None)],
    )
    def test_knows_the_other_end_as_caddy_calls_it(self, peer: str, address: tuple[str, int] | None) -> None:
        assert address_of(peer) == address


class TestTheOriginsOfAProject:
    def test_are_those_of_its_pages_by_port_and_by_name(self) -> None:
        found = origins_of([now(port=3000)], ["shop.localhost"], 7080)

        assert found == {"http://localhost:3000", "http://127.0.0.1:3000", "http://shop.localhost:7080"}


class TestTheEvents:
    def test_have_a_number_a_kind_and_a_value_each(self) -> None:
        assert event("snapshot", "ab-1", {"a": 1}) == b'id: ab-1\nevent: snapshot\ndata: {"a":1}\n\n'

    def test_tell_the_whole_of_each_service_that_has_changed(self) -> None:
        before = {"backend": now(), "frontend": now(port=3000)}
        after = {"backend": now("starting", at=2.0), "frontend": now(port=3000)}

        told = news(before, {"project": "shop", "services": after}, "ab-2")

        assert told.count(b"event: service") == 1
        assert b'"name":"backend"' in told
        assert b'"phase":"starting"' in told

    def test_are_a_snapshot_when_a_service_is_gone(self) -> None:
        told = news({"backend": now(), "web": now()}, {"project": "shop", "services": {"web": now()}}, "ab-3")

        assert told.startswith(b"id: ab-3\nevent: snapshot\n")

    def test_are_none_when_nothing_has_changed(self) -> None:
        assert news({"web": now()}, {"project": "shop", "services": {"web": now()}}, "ab-3") == b""


class TestARequest:
    def test_is_read_with_its_query_and_headers(self) -> None:
        request = parsed(b"GET /x?project=shop HTTP/1.1\r\nHost: devinit.localhost\r\nOrigin:  null\r\n\r\n")

        assert request is not None
        assert (request.path, request.query) == ("/x", {"project": "shop"})
        assert request.header("origin") == "null"

    @pytest.mark.parametrize(
        "head", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET / SPDY/3\r\n\r\n", b"\xff\xfe\r\n\r\n"]
    )
    def test_is_none_when_it_is_not_http(self, head: bytes) -> None:
        assert parsed(head) is None


class TestTheNotices:
    def test_say_in_words_what_to_do(self) -> None:
        stopped = notices.stopped(asked(), "backend", "stopped", "stopped by `devinit stop`")
        failed = notices.not_up(asked(), "backend", "starting", None)

        assert (stopped.status, failed.status) == (503, 502)
        assert b"devinit start backend" in stopped.body
        assert b"devinit why backend" in failed.body

    @pytest.mark.parametrize(
        ("phase", "words"),
        [
            ("failed", b"backend has failed: "),
            ("exited", b"backend has exited: "),
            ("stopped", b"backend is stopped: "),
        ],
    )
    def test_say_the_state_of_a_service_in_a_sentence(self, phase: str, words: bytes) -> None:
        assert notices.stopped(asked(), "backend", phase, "its reason").body.startswith(words)

    def test_list_the_names_that_there_are(self) -> None:
        answer = notices.unknown(asked(host="nope.localhost"), ["shop.localhost"], 7080)

        assert answer.status == 404
        assert b"http://shop.localhost:7080" in answer.body

    def test_are_pages_to_a_browser_in_which_nothing_is_markup(self) -> None:
        answer = notices.stopped(asked(accept="text/html"), "backend", "failed", "<script>alert(1)</script>")

        assert answer.kind.startswith("text/html")
        assert b"<script>" not in answer.body
        assert b"<code>devinit why backend</code>" in answer.body
