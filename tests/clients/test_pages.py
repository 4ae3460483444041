"""Specifies the client in pages: real Vite, React and Svelte in a real browser, with a backend that moves."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from devinit.cli.main import main
from tests.chromium import chromium
from tests.cli.conftest import Shop
from tests.clients.project import PATIENCE, move, with_api

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]

PAGE = '<!doctype html><div id="app"></div><script type="module" src="/main.{form}"></script>\n'
POLL = """
window.answers = [];
window.failures = [];
async function poll() {
    try {
        window.answers.push((await (await shop.fetch("backend", "/items")).json()).port);
    } catch (error) {
        window.failures.push(String(error));
    }
    setTimeout(poll, 20);
}
poll();
"""
REACT = {
    "main.jsx": """
import { createRoot } from "react-dom/client";
import { createDevinit } from "./devinit/devinit.js";
import { useService } from "./devinit/react.js";

const shop = createDevinit();
"""
    + POLL
    + """
function Shown() {
    const backend = useService(shop, "backend");
    return <p>{backend?.source} {backend?.port} {backend?.phase}</p>;
}
createRoot(document.getElementById("app")).render(<Shown />);
""",
    "vite.config.js": """
import react from "@vitejs/plugin-react";
import devinit from "./devinit/vite.js";
export default { plugins: [react(), devinit()], cacheDir: ".vite" };
""",
}
SVELTE = {
    "main.js": """
import { mount } from "svelte";
import App from "./App.svelte";
mount(App, { target: document.getElementById("app") });
""",
    "App.svelte": """
<script module>
import { createDevinit } from "./devinit/devinit.js";
import { serviceStore } from "./devinit/svelte.js";
const shop = createDevinit();
const backend = serviceStore(shop, "backend");
"""
    + POLL
    + """
</script>
<p>{$backend?.source} {$backend?.port} {$backend?.phase}</p>
""",
    "vite.config.js": """
import { svelte } from "@sveltejs/vite-plugin-svelte";
import devinit from "./devinit/vite.js";
export default { plugins: [svelte(), devinit()], cacheDir: ".vite" };
""",
}
FORMS = {"react": ("jsx", REACT), "svelte": ("js", SVELTE)}


@pytest.fixture(params=FORMS)
def page(request: pytest.FixtureRequest, shop: Shop, port: int, node: str, modules: Path) -> Shop:
    """A project with an API and a page of Vite's that run."""
    form, files = FORMS[request.param]
    web = shop.root / "web"
    web.mkdir()
    (web / "node_modules").symlink_to(modules)
    (web / "package.json").write_text('{"type": "module", "private": true}')
    (web / "index.html").write_text(PAGE.replace("{form}", form))
    for name, text in files.items():
        (web / name).write_text(text)
    assert main(["client", "js", "-o", f"{web / 'devinit'}/"]) == 0
    vite = f"{node} node_modules/vite/bin/vite.js --host 127.0.0.1 --strictPort --port $PORT"
    with_api(
        shop,
        port,
        f'\n[services.web]\ncommand = "{vite}"\ndirectory = "web"\nport = {port + 1}\n'
        "restart_on_move = false\n",
    )
    done = shop("start", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    return shop


def shows(*words: str) -> str:
    return f"document.querySelector('p')?.innerText === {json.dumps(' '.join(words))}"


def all_show(*words: str) -> str:
    frames = "[...document.querySelectorAll('iframe')]"
    shown = "each.contentDocument.querySelector('p')?.innerText"
    return f"{frames}.length > 6 && {frames}.every((each) => {shown} === {json.dumps(' '.join(words))})"


class TestAPageThatIsOpenWhileTheBackendMoves:
    async def test_goes_on_without_a_reload_and_loses_no_request(
        self, page: Shop, port: int, tmp_path: Path
    ) -> None:
        async with chromium(tmp_path / "profile") as tab:
            await tab.tell("Page.navigate", url=f"http://localhost:{port + 1}/")
            await tab.becomes(shows("live", str(port), "ready"))
            await tab.becomes("window.answers.length > 3")
            await tab.evaluate("window.isSame = true")  # Vite itself loads a page again that it sees first
            move(page, port + 5)
            await tab.becomes(shows("live", str(port + 5), "ready"))
            await tab.becomes(f"window.answers.at(-1) === {port + 5}")

            seen = await tab.evaluate("({ isSame: window.isSame, failures: window.failures })")

        assert seen == {"isSame": True, "failures": []}

    async def test_shares_one_stream_with_the_other_tabs_of_its_origin(
        self, page: Shop, port: int, tmp_path: Path
    ) -> None:
        frames = '<iframe src="/"></iframe>' * 8
        (page.root / "web" / "many.html").write_text(f"<!doctype html>{frames}")
        async with chromium(tmp_path / "profile") as tab:
            await tab.tell("Page.navigate", url=f"http://localhost:{port + 1}/")
            await tab.becomes(shows("live", str(port), "ready"))
            await tab.tell("Page.navigate", url=f"http://localhost:{port + 1}/many.html")
            await tab.becomes(all_show("live", str(port), "ready"))
            move(page, port + 5)
            await tab.becomes(all_show("live", str(port + 5), "ready"))
            # The first one goes, and another one takes over.
            await tab.evaluate("document.querySelector('iframe').remove()")
            move(page, port)
            await tab.becomes(all_show("live", str(port), "ready"))

    def test_begins_with_the_address_of_that_moment(self, page: Shop, port: int) -> None:
        with urlopen(f"http://127.0.0.1:{page.status()['web']['port']}/", timeout=PATIENCE) as answer:
            text = answer.read().decode()

        assert f'"backend":"http://localhost:{port}"' in text


class TestABuild:
    def test_has_nothing_of_a_dev_servers_addresses(self, page: Shop, port: int, node: str) -> None:
        web = page.root / "web"
        done = subprocess.run(
            [node, "node_modules/vite/bin/vite.js", "build"],
            cwd=web,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        texts = [each.read_text() for each in (web / "dist").rglob("*") if each.is_file()]
        assert not any(f"localhost:{port}" in text or "node:fs" in text for text in texts)
