"""Specifies the dashboard in a browser: who gets in, what Chromium shows, and what is left afterwards."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from tests.chromium import chromium
from tests.cli.conftest import PATIENCE, Shop

pytestmark = pytest.mark.timeout(180)


class Served(NamedTuple):
    """A dashboard that is served."""

    shop: Shop
    process: subprocess.Popen[str]
    link: str

    @property
    def base(self) -> str:
        return f"http://{urlsplit(self.link).netloc}"

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])

    def visitors(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def interrupt(self) -> str:
        """Press Ctrl-C, and return what was said in the end."""
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=PATIENCE)[1]


@contextmanager
def serving(shop: Shop, *words: str, **environment: str) -> Iterator[Served]:
    process = shop.begin("dashboard", "--web", *words, **environment)
    assert process.stdout is not None
    link = process.stdout.readline().strip()
    assert link, process.communicate(timeout=PATIENCE)[1]
    try:
        yield Served(shop, process, link)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


@pytest.fixture
def served(shop: Shop, port: int) -> Iterator[Served]:
    shop.service("web", port=port)
    with serving(shop) as served:
        yield served


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """What speaks HTTP and keeps cookies."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def enter(browser: aiohttp.ClientSession, served: Served) -> str:
    """Use the link; return the folder that it leads to."""
    async with browser.get(served.link) as answer:
        assert answer.status == 200
        return served.base + (await answer.text()).partition("url=")[2].partition('"')[0]


async def status_of(browser: aiohttp.ClientSession, url: str, **headers: str) -> int:
    async with browser.get(url, headers=headers) as answer:
        return answer.status


async def open_terminal(
    browser: aiohttp.ClientSession, folder: str, **headers: str
) -> aiohttp.ClientWebSocketResponse:
    return await browser.ws_connect(f"{folder}ws?width=100&height=30", headers=headers)


async def until_shown(terminal: aiohttp.ClientWebSocketResponse, text: str) -> None:
    shown = ""
    async with asyncio.timeout(PATIENCE):
        while text not in shown:
            message = await terminal.receive()
            assert message.type is aiohttp.WSMsgType.BINARY, message
            shown += message.data.decode()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110  other processes decide
            await asyncio.sleep(0.1)


class TestWhoGetsIn:
    async def test_is_who_has_the_link_and_opens_it_first(
        self, served: Served, browser: aiohttp.ClientSession
    ) -> None:
        folder = await enter(browser, served)

        assert await status_of(browser, folder) == 200
        assert await status_of(browser, f"{folder}static/js/textual.js") == 200
        async with aiohttp.ClientSession() as somebody_else:
            assert await status_of(somebody_else, served.link) == 403
            assert await status_of(somebody_else, folder) == 403
            assert await status_of(somebody_else, f"{folder}static/js/textual.js") == 403
        said = served.interrupt()
        assert "opened in a browser" in said
        assert "the link was opened a second time, and refused" in said

    @pytest.mark.parametrize("path", ["/", "/?token=x", "/ws", "/static/js/textual.js", "/download/x", "/x"])
    async def test_is_nobody_without_the_link(
        self, served: Served, browser: aiohttp.ClientSession, path: str
    ) -> None:
        async with browser.get(served.base + path) as answer:
            assert answer.status == 403
            assert "Set-Cookie" not in answer.headers

    async def test_is_no_page_whose_name_was_pointed_here(
        self, served: Served, browser: aiohttp.ClientSession
    ) -> None:
        evil = f"evil.example:{served.port}"

        assert await status_of(browser, served.link, Host=evil) == 403
        folder = await enter(browser, served)
        assert await status_of(browser, folder, Host=evil) == 403
        assert await status_of(browser, f"{folder}static/js/textual.js", Host=evil) == 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await open_terminal(browser, folder, Host=evil, Origin=f"http://{evil}")

    @pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:3000", "null", None])
    async def test_is_no_terminal_of_another_page(
        self, served: Served, browser: aiohttp.ClientSession, origin: str | None
    ) -> None:
        folder = await enter(browser, served)

        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await open_terminal(browser, folder, **({} if origin is None else {"Origin": origin}))
        assert served.visitors() == []

    async def test_is_nobody_from_another_machine(self, served: Served) -> None:
        listeners = [
            each.laddr.ip
            for each in psutil.Process(served.process.pid).net_connections()
            if each.status == psutil.CONN_LISTEN
        ]

        assert listeners == ["127.0.0.1"]

    async def test_may_load_nothing_from_anywhere_else(
        self, served: Served, browser: aiohttp.ClientSession
    ) -> None:
        folder = await enter(browser, served)

        async with browser.get(folder) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "https://" not in await answer.text()


class TestThePage:
    async def test_shows_in_chromium_what_runs_and_acts_on_it(
        self, tmp_path: Path, port: int, shop: Shop
    ) -> None:
        # A shell would make something else of this path.
        odd = Shop(tmp_path / "it's; exit 3 # a shop & more")
        odd.service("database", "lines=3", port=port)
        odd.service("backend", "lines=2", port=port + 2, depends_on=["database"])
        try:
            assert odd("start", "-d").returncode == 0
            before = odd.status()["backend"]["pid"]
            with serving(odd) as served:
                async with chromium(tmp_path / "profile") as page:
                    await page.tell("Page.navigate", url=served.link)
                    await page.shows("● database", "● backend", "2 of 2 ready", "line 3")
                    assert {urlsplit(url).netloc for url in page.requests} <= {
                        urlsplit(served.base).netloc,
                        "",
                    }
                    assert await page.evaluate("document.cookie") == ""

                    # Nobody has clicked on it.
                    await page.type("j")
                    await page.shows("─ backend · following")
                    await page.type("r")
                    await until(lambda: odd.status()["backend"]["pid"] not in (before, None))
                    await page.shows("2 of 2 ready")

                    visitors = served.visitors()
                    await page.type("q")
                    await page.becomes("document.body.classList.contains('-closed')")
                    assert not (await asyncio.to_thread(psutil.wait_procs, visitors, PATIENCE))[1]
                    await page.evaluate("document.querySelector('.ended a').click()")
                    await page.shows("2 of 2 ready")
            assert {service["phase"] for service in odd.status().values()} == {"ready"}
        finally:
            odd.finish()

    async def test_is_found_again_by_the_browser_that_used_the_link(
        self, tmp_path: Path, served: Served, browser: aiohttp.ClientSession
    ) -> None:
        async with chromium(tmp_path / "profile") as page:
            await page.tell("Page.navigate", url=served.link)
            await page.shows("web")
            folder = await page.evaluate("location.href")

            # The same link, the bare address, and the page's own when another page leads there.
            for address in (served.link, served.base):
                await page.tell("Page.navigate", url=address)
                await page.shows("web")
                assert await page.evaluate("location.href") == folder
            await page.tell("Page.navigate", url="data:text/html,<a>there</a>")
            await page.becomes("document.querySelector('a') !== null")
            await page.evaluate(
                f"document.querySelector('a').href = '{folder}'; document.querySelector('a').click()"
            )
            await page.shows("web")
            assert await page.evaluate("location.href") == folder
        # Another browser is refused, and that is said.
        assert await status_of(browser, served.base) == 403
        assert await status_of(browser, folder) == 403
        assert "opened a second time" not in served.interrupt()

    async def test_has_the_title_that_the_project_has(
        self, shop: Shop, served: Served, browser: aiohttp.ClientSession
    ) -> None:
        folder = await enter(browser, served)
        async with browser.get(folder) as answer:
            text = await answer.text()

        assert "<title>shop · devinit</title>" in text
        assert shop.root.name != "shop"


class TestTheEnd:
    async def test_by_ctrl_c_ends_every_dashboard_and_no_service(
        self, shop: Shop, port: int, browser: aiohttp.ClientSession
    ) -> None:
        shop.service("web", port=port)
        shop("start", "-d")
        with serving(shop) as served:
            folder = await enter(browser, served)
            async with await open_terminal(browser, folder, Origin=served.base) as terminal:
                await until_shown(terminal, "web")
                visitors = served.visitors()
                assert len(visitors) == 1

                said = await asyncio.to_thread(served.interrupt)

            assert served.process.returncode == 0
            assert "and no service with it" in said
            assert not psutil.wait_procs(visitors, timeout=PATIENCE)[1]
        assert shop.status()["web"]["phase"] == "ready"

    async def test_of_a_page_ends_its_dashboard(self, served: Served, browser: aiohttp.ClientSession) -> None:
        folder = await enter(browser, served)
        terminal = await open_terminal(browser, folder, Origin=served.base)
        await until_shown(terminal, "web")
        visitors = served.visitors()

        await terminal.close()

        assert not (await asyncio.to_thread(psutil.wait_procs, visitors, PATIENCE))[1]

    async def test_of_a_server_that_is_killed_leaves_no_dashboard(
        self, shop: Shop, port: int, browser: aiohttp.ClientSession
    ) -> None:
        shop.service("web", port=port)
        shop("start", "-d")
        with serving(shop) as served:
            folder = await enter(browser, served)
            terminal = await open_terminal(browser, folder, Origin=served.base)
            await until_shown(terminal, "web")
            visitors = served.visitors()

            served.process.kill()

            assert not (await asyncio.to_thread(psutil.wait_procs, visitors, PATIENCE))[1]
            await terminal.close()

    async def test_is_no_trace_of_the_page_in_what_services_are_given(
        self, shop: Shop, port: int, browser: aiohttp.ClientSession
    ) -> None:
        shop.service("web", port=port)
        with serving(shop, COLORTERM="kept") as served:
            folder = await enter(browser, served)
            async with await open_terminal(browser, folder, Origin=served.base) as terminal:
                await until_shown(terminal, "S")
                await terminal.send_json(["stdin", "S"])
                await until(lambda: shop.status()["web"]["phase"] == "ready")
        given = psutil.Process(shop.status()["web"]["pid"]).environ()
        assert given["COLORTERM"] == "kept"
        assert not [name for name in given if name.startswith("TEXTUAL")]
        assert "ROWS" not in given


class TestThePort:
    def test_is_the_one_that_is_asked_for(self, shop: Shop, port: int) -> None:
        shop.service("web")
        with serving(shop, "--port", str(port)) as served:
            assert served.port == port

    def test_that_is_taken_is_refused_with_who_has_it(
        self, shop: Shop, port: int, stranger: subprocess.Popen[str]
    ) -> None:
        shop.service("web")

        answer = shop("dashboard", "--web", "--port", str(port))

        assert answer.returncode == 3
        assert f"port {port} is held by" in answer.stderr
        assert str(stranger.pid) in answer.stderr

    def test_that_browsers_do_not_open_is_refused(self, shop: Shop) -> None:
        shop.service("web")

        answer = shop("dashboard", "--web", "--port", "6000")

        assert answer.returncode == 2
        assert "browsers refuse to open port 6000" in answer.stderr

    def test_without_a_browser_is_refused(self, shop: Shop) -> None:
        shop.service("web")

        answer = shop("dashboard", "--port", "8123")

        assert answer.returncode == 2
        assert "--web" in answer.stderr


def test_without_the_extra_it_says_how_to_get_it(shop: Shop) -> None:
    shop.service("web")
    program = "import sys; sys.modules['textual_serve'] = None; sys.argv = ['devinit', 'dashboard', '--web']; from devinit.cli.main import main; sys.exit(main())"

    answer = shop.run([sys.executable, "-c", program])

    assert answer.returncode == 1
    assert "textual-serve" in answer.stderr
    assert "'devinit[web]'" in answer.stderr
