"""Specifies how a service is recognised that speaks TLS because the code says so of the program that it runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.readiness.scheme_hints import expects_tls, is_configured_for_tls
from tests.supervisor.test_schemes import COMMAND, SERVER, a_service, secure

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop


class TestAServerThatSetsUpTlsItself:
    def test_has_its_url_before_its_dependants_start(self, shop: Shop, free_ports: FreePorts) -> None:
        secure(shop)
        (shop.root / "server.py").write_text(re.sub(r"print\(.*", "pass", SERVER))
        frontend, late = free_ports(2)
        shop.service("frontend", port=frontend, command=COMMAND)
        shop.service("late", "note=late", port=late, depends_on=["frontend"])

        command = shop.up()

        url = f"https://localhost:{frontend}"
        assert [row["url"] for row in command.seen[-1]["services"]] == [url, f"http://localhost:{late}"]
        assert [told["FRONTEND_URL"] for told in shop.notes("late")] == [url]
        assert "error" not in shop.log("frontend").lower()

    @pytest.mark.parametrize(
        ("command", "file", "content"),
        [
            ("python server.py", "server.py", "tls.load_cert_chain('c.pem')"),
            ("poetry run python -m shop.server", "shop/server.py", "app.run(ssl_context='adhoc')"),
            ("node --watch server.mjs", "server.mjs", "https.createServer(options, app).listen(PORT)"),
            ("node server", "server.js", "import { createServer } from 'node:https'"),
            ("tsx src/index.ts", "src/index.ts", "http2.createSecureServer({ key, cert })"),
            ("bun run server.ts", "server.ts", "Bun.serve({ tls: { key, cert } })"),
            ("python other.py", "server.py", "tls.load_cert_chain('c.pem')"),
            ("go run main.go", "main.go", 'http.ListenAndServeTLS(addr, "c.pem", "k.pem", nil)'),
        ],
    )
    def test_is_greeted_when_the_file_that_it_runs_serves_tls(
        self, tmp_path: Path, command: str, file: str, content: str
    ) -> None:
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)

        assert is_configured_for_tls(a_service(command, tmp_path))
        assert not expects_tls(a_service(command, tmp_path))

    @pytest.mark.parametrize(
        ("command", "content"),
        [
            ("python server.py", "# tls.load_cert_chain('c.pem')"),
            ("python server.py", "url = 'https://api.shop'; import ssl, certifi"),
        ],
    )
    def test_is_not_greeted_for_any_other_code(self, tmp_path: Path, command: str, content: str) -> None:
        (tmp_path / "server.py").write_text(content)

        assert not is_configured_for_tls(a_service(command, tmp_path))
