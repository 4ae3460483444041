"""The page of all projects, and a page of a project, in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chromium import chromium
from tests.gateway.conftest import Site, get, port, until

pytestmark = [pytest.mark.slow]

READ = """
(async () => {
    const answer = await fetch("/.well-known/devinit/events")
    const reader = answer.body.getReader()
    const { value } = await reader.read()
    await reader.cancel()
    return new TextDecoder().decode(value)
})()
"""


class TestInABrowser:
    async def test_the_page_filters_by_keyboard_and_follows_and_a_page_by_name_reads_events(
        self, site: Callable[..., Site], tmp_path: Path
    ) -> None:
        shop = site()
        await asyncio.to_thread(shop.start, "--names")
        await asyncio.to_thread(until, lambda: get("shop.localhost").status == 200)
        suffix = "" if port() == 80 else f":{port()}"

        async with chromium(tmp_path / "profile") as page:
            await page.tell("Page.navigate", url=f"http://devinit.localhost{suffix}/")
            await page.becomes("document.querySelectorAll('tbody tr').length == 2")
            await page.tell("Input.dispatchKeyEvent", type="keyDown", key="/", text="/")
            await page.becomes("document.activeElement.id == 'filter'")
            await page.type("backend")
            await page.becomes("document.querySelectorAll('tbody tr[hidden]').length == 1")
            await asyncio.to_thread(shop, "stop", "frontend")
            await page.becomes("document.querySelector('tbody tr[hidden]').textContent.includes('stopped')")

            await page.tell("Page.navigate", url=f"http://backend.shop.localhost{suffix}/")
            await page.becomes("document.body && document.body.innerText.startsWith('backend 8200')")
            assert "event: snapshot" in await page.evaluate(READ)
            assert await page.evaluate("isSecureContext")
