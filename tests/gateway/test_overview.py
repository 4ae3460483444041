from __future__ import annotations

from devinit.gateway.web.overview import body, page
from devinit.gateway.web.reports import as_metrics

USED = {
    "project": "shop",
    "label": "shop",
    "name": "web",
    "phase": "ready",
    "port": 8001,
    "preferred_port": 8000,
    "url": "http://localhost:8001",
    "name_url": None,
    "restarts": 2,
    "uptime_seconds": 7.5,
    "cpu_percent": None,
    "memory_bytes": 12_345_678,
}
SHOP = {
    "project": "shop",
    "root": "/home/ada/<shop>",
    "state": "running",
    "branch": None,
    "advice": None,
    "services": [
        {"name": "web", "phase": "ready", "port": 8001, "url": "http://localhost:8001", "urls": []},
        {"name": "<b>", "phase": None, "port": None, "url": None, "urls": []},
    ],
}


class TestThePage:
    def test_has_every_service_with_its_state_and_address(self) -> None:
        text = page([SHOP], [USED])

        assert '<a href="http://localhost:8001">' in text
        assert "12 MB" in text
        assert '<html lang="en">' in text

    def test_shows_names_as_text_and_never_as_markup(self) -> None:
        assert "<b>" not in body([SHOP], [])
        assert "/home/ada/&lt;shop&gt;" in body([SHOP], [])

    def test_says_that_there_is_nothing(self) -> None:
        assert "nowhere yet" in body([], [])


class TestTheMetrics:
    def test_have_a_line_for_each_value_that_there_is(self) -> None:
        lines = as_metrics([USED], {"devinit_gateway_projects": 1}).splitlines()

        assert 'devinit_service_ready{project="shop",service="web"} 1' in lines
        assert 'devinit_service_memory_bytes{project="shop",service="web"} 12345678' in lines
        assert 'devinit_service_restarts_total{project="shop",service="web"} 2' in lines
        assert not [line for line in lines if line.startswith("devinit_service_cpu_percent{")]

    def test_quote_what_would_end_a_label(self) -> None:
        text = as_metrics([{**USED, "name": 'a"b\\c\n'}], {})

        assert 'service="a\\"b\\\\c\\n"' in text
