"""A real headless browser, controlled through its debugging protocol."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

Json = dict[str, Any]
PATIENCE = 60
PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")

# The page does not expose its terminal; the debugger can find it among all objects.
IS_TERMINAL = "typeof each.loadAddon === 'function' && each.buffer && each.buffer.active"
READ_TERMINAL = f"""function () {{
    const terminal = this.find((each) => {{ try {{ return {IS_TERMINAL} }} catch {{ return false }} }})
    if (!terminal) return null
    const buffer = terminal.buffer.active
    return Array.from({{ length: terminal.rows }}, (_, row) =>
        buffer.getLine(buffer.viewportY + row).translateToString(true)).join("\\n")
}}"""


class Leaving(Exception):
    """The error that the page is navigating, so that the inspected objects are gone."""


LEAVING = (
    "Cannot find context with specified id",
    "Could not find object with given id",
    "Execution context was destroyed",
    "Inspected target navigated or closed",
    "Promise was collected",
)
"""The browser's errors for a page that no longer exists."""


class Page:
    """A page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.requests: list[str] = []
        """The addresses that it has requested since the debugger was attached."""

    async def tell(self, method: str, **params: object) -> Json:
        """Send a command, and return its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json(timeout=PATIENCE)
            if message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            if message.get("id") == self._number:
                if message.get("error", {}).get("message", "").startswith(LEAVING):
                    raise Leaving
                assert "error" not in message, message
                result: Json = message["result"]
                return result

    async def evaluate(self, script: str) -> Any:
        """Return the result of a script in the page. Any: any value."""
        answer = await self.tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    async def terminal(self) -> str:
        """Return the text in the page's terminal."""
        prototype = await self.tell("Runtime.evaluate", expression="Object.prototype", objectGroup="look")
        found = await self.tell(
            "Runtime.queryObjects", prototypeObjectId=prototype["result"]["objectId"], objectGroup="look"
        )
        text = await self.tell(
            "Runtime.callFunctionOn",
            objectId=found["objects"]["objectId"],
            functionDeclaration=READ_TERMINAL,
            returnByValue=True,
        )
        await self.tell("Runtime.releaseObjectGroup", objectGroup="look")
        return text["result"].get("value") or ""

    async def shows(self, *texts: str) -> str:
        """Wait until the terminal shows all these texts; return its text."""
        shown = ""
        try:
            async with asyncio.timeout(PATIENCE):
                while not all(text in shown for text in texts):
                    await asyncio.sleep(0.2)
                    with suppress(Leaving):  # the next round inspects the next page
                        shown = await self.terminal()
        except TimeoutError:
            body = await self.evaluate("document.body.innerText + document.body.className")
            raise AssertionError(f"the terminal shows:\n{shown}\nthe page:\n{body}") from None
        return shown

    async def becomes(self, script: str) -> None:
        """Wait until a script returns a true value in the page."""
        says = None
        async with asyncio.timeout(PATIENCE):
            while not says:
                with suppress(Leaving):
                    says = await self.evaluate(script)
                await asyncio.sleep(0.1)

    async def type(self, keys: str) -> None:
        """Press keys that write characters."""
        for key in keys:
            await self.tell("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
            await self.tell("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def screenshot(self) -> bytes:
        """Return a screenshot of the page (PNG)."""
        return base64.b64decode((await self.tell("Page.captureScreenshot"))["data"])


@asynccontextmanager
async def chromium(profile: Path, *, size: str = "1200,700") -> AsyncIterator[Page]:
    """Open a browser with a new profile."""
    if PROGRAM is None:
        pytest.skip("there is no chromium on PATH (Debian: apt-get install chromium)")
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "--headless=new",
        "--no-sandbox",  # root runs it in a container
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        f"--window-size={size}",
        f"--user-data-dir={profile}",
        "--remote-debugging-port=0",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            while b"DevTools listening on ws://" not in (line := await process.stderr.readline()):
                assert line, "chromium has ended"
            address = line.decode().split("ws://")[1].partition("/")[0]
            async with session.get(f"http://{address}/json/list") as answer:
                page = next(each for each in await answer.json() if each["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                shown = Page(socket)
                await shown.tell("Network.enable")
                yield shown
    finally:
        process.terminate()
        await process.communicate()
