"""The web server of the dashboard: textual-serve behind access control, with devinit's own page."""

from __future__ import annotations

import asyncio
import shlex
import signal
import socket
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.app_service import AppService
from textual_serve.server import Server

from devinit.dashboard.web.door import COOKIE, Admission, Door, Visit

END_SECONDS = 3
"""The time for a dashboard to end with its page, before it is killed."""
_LONGEST_COUNT = 9
"""The maximum number of digits in a number of rows or columns."""
KEYS = Path(__file__).with_name("keys.js").read_text(encoding="utf-8")
PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
NOTICE = Template("<!doctype html><meta charset=utf-8>$head<title>devinit</title><p>$text</p>\n")
BACK = """
const folder = localStorage.getItem("devinit")
if (folder && !location.search.includes("again=")) location.replace(`${folder}?again=1`)
"""
"""The script of a refused page. It has no secret: a browser that was admitted keeps the folder, for this port.
From devinit's own page the browser sends the strict cookie, but not when another page opens the dashboard."""
BACK_DIGEST = b64encode(sha256(BACK.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Nothing is loaded from other places. xterm.js lays itself out with <style>.
    "Content-Security-Policy": f"default-src 'none'; script-src 'self' 'sha256-{BACK_DIGEST}'; "
    "style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
Tell = Callable[[str], None]


async def serve(listening: socket.socket, door: Door, command: Sequence[str], title: str, tell: Tell) -> None:
    """Show a command's display in the browser that has the link, until Ctrl-C, SIGTERM or SIGHUP."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup lets it outlive its terminal
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
    app = BrowserDashboard(door, command, title, tell).app()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2 * END_SECONDS)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        await ended.wait()
    finally:
        await runner.cleanup()


class BrowserDashboard(Server):
    """A server with one dashboard for each open page, behind access control."""

    def __init__(self, door: Door, command: Sequence[str], title: str, tell: Tell) -> None:
        # textual-serve runs it in a shell, which `exec` replaces by the dashboard.
        super().__init__(f"exec {shlex.join(command)}", title=title)
        self._door, self._tell = door, tell
        self._open: set[web.WebSocketResponse] = set()

    def app(self) -> web.Application:
        """Return the web application, without downloads, because the dashboard has none."""

        @web.middleware
        async def at_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._let_in(request, handler)

        folder = self._door.folder
        app = web.Application(middlewares=[at_the_door])
        app.add_routes(
            [
                web.get(folder, self._page),
                web.get(f"{folder}ws", self.handle_websocket),
                web.get(f"{folder}keys.js", self._keys),
                web.static(f"{folder}static", self.statics_path),
            ]
        )
        app.on_shutdown.append(self.on_shutdown)
        return app

    async def _let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = self._door.judge(
            Visit(
                method=request.method,
                path=request.path,
                host=request.headers.get("Host", ""),
                origin=request.headers.get("Origin", ""),
                token=request.query.get("token", ""),
                session=request.cookies.get(COOKIE, ""),
                ticket=request.cookies.get(self._door.ticket_name, ""),
                opens_terminal="Upgrade" in request.headers or request.path.endswith("/ws"),
            )
        )
        match answer:
            case Admission.WELCOME:
                try:
                    response = await handler(request)
                except web.HTTPException as error:
                    response = _notice(error.reason, status=error.status)
            case Admission.EXCHANGE:
                self._tell("opened in a browser; the link does not work a second time")
                response = self._admit()
            case _:
                if answer is Admission.USED:
                    self._tell("the link was opened a second time, and refused")
                # A script that leads an admitted browser back, because only that knows the folder.
                head = (
                    ""
                    if answer in (Admission.WRONG_HOST, Admission.WRONG_ORIGIN)
                    else f"<script>{BACK}</script>"
                )
                response = _notice(answer.value, status=403, head=head)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _admit(self) -> web.Response:
        # A redirect would belong to the navigation from the page that sent the browser here, perhaps a chat in a
        # web page, which excludes strict cookies. A page that navigates on does not.
        head = f'<meta http-equiv=refresh content="0; url={self._door.folder}">'
        response = _notice("Opening the dashboard …", head=head)
        for cookie in (self._door.cookie, self._door.ticket):
            response.headers.add("Set-Cookie", cookie)
        return response

    async def _page(self, request: web.Request) -> web.Response:
        websocket = f"ws://{request.headers['Host']}{self._door.folder}ws"
        text = PAGE.substitute(title=escape(self.title), websocket=escape(websocket))
        return web.Response(text=text, content_type="text/html")

    async def _keys(self, request: web.Request) -> web.Response:
        return web.Response(text=KEYS, content_type="text/javascript")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run a dashboard for as long as its page is open."""
        websocket = web.WebSocketResponse(heartbeat=15)
        await websocket.prepare(request)

        async def close() -> None:
            await websocket.close()

        self._open.add(websocket)
        dashboard = Visitor(
            self.command,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        try:
            await dashboard.start(_cells(request, "width", 80), _cells(request, "height", 24))
            await self._process_messages(websocket, dashboard)
        finally:
            self._open.discard(websocket)
            await dashboard.stop()
        return websocket

    async def on_shutdown(self, app: web.Application) -> None:
        """Close all websockets, because a dashboard ends with its page."""
        for websocket in list(self._open):
            await websocket.close()


class Visitor(AppService):
    """The dashboard of one page."""

    async def run(self) -> None:
        """Transfer the display; when the dashboard ends in any way, close its page."""
        try:
            await super().run()
        finally:
            await self.remote_close()

    async def stop(self) -> None:
        """End the dashboard, and kill it if it does not end; services are not affected."""
        process = self._process
        try:
            async with asyncio.timeout(END_SECONDS):
                await super().stop()
                if process is not None:
                    await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()  # type: ignore[union-attr]  # there was a process to wait for


def _cells(request: web.Request, name: str, default: int) -> int:
    given = request.query.get(name, "")
    is_number = given.isascii() and given.isdigit() and len(given) <= _LONGEST_COUNT
    return min(int(given), 1000) if is_number and int(given) else default


def _notice(text: str, *, status: int = 200, head: str = "") -> web.Response:
    body = NOTICE.substitute(head=head, text=escape(text))
    return web.Response(text=body, status=status, content_type="text/html")
