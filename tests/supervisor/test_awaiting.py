"""Specifies `devinit wait`, `check` and `events`, and the last error of a build, with the real command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from devinit.supervisor.lifecycle.decisions import STABLE_SECONDS
from devinit.supervisor.orders.settling import is_ending
from devinit.system.procfs import LINUX

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import FreePorts, Shop

DEV_SERVER = """
import os, sys, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        if os.path.exists("broken"):
            file = f"{os.getcwd()}/src/App.jsx"
            print(f"1:19:36 PM [vite] Internal server error: {file}: Unexpected token (12:4)", flush=True)
            print(f"  Plugin: vite:react-babel\\n  File: {file}:12:4", flush=True)

    def log_message(self, *_):
        pass

def watch():
    before = os.path.exists("broken")
    while True:
        time.sleep(0.02)
        if (now := os.path.exists("broken")) != before:
            before = now
            print("1:19:40 PM [vite] (client) hmr update /src/App.jsx", flush=True)

threading.Thread(target=watch, daemon=True).start()
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
"""
"""Does what Vite does: the page is there, and a module of it is compiled when the page was asked for."""

COLD_SERVER = """
import os, sys, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer

def transform():
    time.sleep(1)
    print("1:19:36 PM [vite] Pre-transform error: Failed to resolve import", flush=True)
    print("  File: src/App.jsx:1:4", flush=True)

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        threading.Thread(target=transform, daemon=True).start()

    def log_message(self, *_):
        pass

print("  VITE v5.4.21  ready in 300 ms", flush=True)
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
"""
"""Does what Vite does before a browser has been there: the first transform takes a second, and is silent."""

RELOADER = """
import os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
import threading

served = before = open("main.txt").read()

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if served == "busy" else 200)
        self.end_headers()
    def log_message(self, *_):
        pass

def watch():
    global before, served
    while True:
        time.sleep(0.02)
        if (now := open("main.txt").read()) != before and now:
            before = now
            print("WARNING:  WatchFiles detected changes in 'main.txt'. Reloading...", flush=True)
            time.sleep(1.5)
            served = now
            if now == "bad":
                print('Traceback (most recent call last):\\n  File "main.txt", line 7\\nSyntaxError: no', flush=True)
            else:
                print("INFO:     Application startup complete.", flush=True)

threading.Thread(target=watch, daemon=True).start()
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
"""
"""Says what `uvicorn --reload` says, and takes its time between the two lines."""


COMPILER = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

asked = set()

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        is_broken = "nope" in open("app.css").read()
        if is_broken and (self.path == "/app.css" or self.path not in asked):
            print("1:19:36 PM [vite] (client) Pre-transform error: [postcss] ENOENT: nope.css", flush=True)
            print(f"  Plugin: vite:css\\n  File: {os.getcwd()}/app.css:undefined:NaN", flush=True)
        asked.add(self.path)
        self.send_response(500 if is_broken and self.path == "/app.css" else 200)
        self.end_headers()

    def log_message(self, *_):
        pass

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
"""
"""Does what Vite does with a module that it never compiled well: it prints nothing when that changes."""

MIDDLEWARE = """
import os, traceback
from http.server import BaseHTTPRequestHandler, HTTPServer

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            if os.path.exists("broken"):
                raise ValueError("every request")
            self.send_response(200)
        except ValueError:
            traceback.print_exc()
            self.send_response(500)
        self.end_headers()

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
"""
"""Runs on and answers, and says in its log why each answer is an error."""

PAGES = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        if is_broken := os.path.exists("broken"):
            print("1:19:36 PM [vite] (ssr) Error when evaluating SSR module", flush=True)
            print("1:19:36 PM [vite] Internal server error: Unexpected token", flush=True)
            print(f"  File: {os.getcwd()}/src/App.jsx:12:4", flush=True)
        self.send_response(500 if is_broken else 200)
        self.end_headers()

    def log_message(self, *_):
        pass

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
"""
"""Builds a page when it is asked for, and answers 500 where it cannot."""

ARBITER = """
import os, socket, sys, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.listen()
while True:
    pid = os.fork()
    if pid == 0:
        print(f"[1] [{os.getpid()}] [INFO] Booting worker with pid: {os.getpid()}", flush=True)
        is_good = open("main.txt").read() == "good"
        time.sleep(2 if is_good else 0.4)
        while is_good:
            client = server.accept()[0]
            client.recv(1000)
            client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
            client.close()
        os._exit(1)
    os.waitpid(pid, 0)
    print(f"[1] [{os.getpid()}] [ERROR] Worker (pid:{pid}) exited with code 1.", flush=True)
"""
"""Does what gunicorn does with workers that cannot load their code: it begins one after the other."""

SLOW = """
import os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        while not os.path.exists("compiled"):
            time.sleep(0.05)
        self.send_response(int(open("compiled").read()))
        self.end_headers()

    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
"""
"""Accepts at once, and answers once a file is there, which says how."""

WORKER = """
import sys, time
began = time.monotonic()
while time.monotonic() - began < 1.6:
    pass
if "restful" in sys.argv:
    time.sleep(1000)
raise ModuleNotFoundError("No module named 'celery'")
"""
"""Loads its code for longer than a worker has to stay up to be ready, and ends when that is broken."""

WORKERS_RELOADER = """
import os, signal, subprocess, sys
while True:
    try:
        worker = subprocess.Popen([sys.executable, "-S", "-E", sys.argv[1], *sys.argv[2:]])
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
        signal.pause()
    except KeyboardInterrupt:
        worker.wait()
        print("[watch] main.py changed, reloading.", flush=True)
"""
"""Runs a worker, and waits for a change when that has ended, without reaping it."""


def command(path: Path, text: str) -> str:
    """Write a program and return the command that runs it."""
    path.write_text(text)
    return f"{sys.executable} -S -E {path}"


def answer(shop: Shop, *words: str) -> tuple[int, Any]:
    """Run a command to its end; return its exit code and the object that it printed."""
    done = shop(*words, "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def web(shop: Shop, port: int) -> Shop:
    """A project whose frontend goes on after an error."""
    shop.service("web", port=port, command=command(shop.root / "dev.py", DEV_SERVER))
    return shop


@pytest.fixture
def api(shop: Shop, port: int) -> Shop:
    """A project whose backend reloads itself."""
    (shop.root / "main.txt").write_text("good")
    shop.service("api", port=port, command=command(shop.root / "api.py", RELOADER))
    return shop


class TestABuildThatFails:
    def test_is_the_last_error_until_the_next_one_is_clean(self, web: Shop) -> None:
        web.up()
        (web.root / "src").mkdir()
        (web.root / "src" / "App.jsx").write_text("broken")
        (web.root / "broken").touch()

        code, report = answer(web, "check", "web")

        assert code == 1
        [row] = report["services"]
        assert (row["well"], row["phase"], row["detail"]) == (
            False,
            "ready",
            "Unexpected token (src/App.jsx, line 12)",
        )
        error = web.status()["web"]["last_error"]
        assert (error["text"], error["file"], error["line"]) == ("Unexpected token", "src/App.jsx", 12)
        assert json.loads(web("why", "web", "--json").stdout)["last_error"] == error
        assert "build failed: Unexpected token (src/App.jsx, line 12)" in web("status").stdout
        assert "failed: Unexpected token (src/App.jsx, line 12)" in web("why", "web").stdout

        saved = time.time()
        (web.root / "broken").unlink()

        assert answer(web, "wait", "web", "--after", str(saved))[0] == 0
        assert web.status()["web"]["last_error"] is None

    @pytest.mark.parametrize("command_that_asks", ["check", "wait"])
    def test_is_gone_when_its_file_is_served_again_of_which_the_tool_says_nothing(
        self, shop: Shop, port: int, command_that_asks: str
    ) -> None:
        style = shop.root / "app.css"
        style.write_text("@import 'nope.css';")
        shop.service("web", command=command(shop.root / "web.py", COMPILER), port=port)
        shop.up()

        first = answer(shop, "check")[0]
        style.write_text("@import 'nope.css'; a {}")
        still = answer(shop, command_that_asks)[0]
        style.write_text("a {}")
        fixed = answer(shop, command_that_asks)[0]

        assert (first, still, fixed) == (1, 1, 0)
        assert shop.status()["web"]["last_error"] is None

    def test_is_told_to_subscribers_without_anybody_asking(self, web: Shop) -> None:
        web.up()
        with web.subscribe() as line:
            (web.root / "broken").touch()
            port = web.status()["web"]["port"]
            fetch(port)

            assert line.until(type="last_error", service="web")["error"]["line"] == 12

            (web.root / "broken").unlink()

            assert line.until(type="last_error", service="web")["error"] is None

    def test_is_known_to_a_supervisor_that_takes_over(self, web: Shop) -> None:
        web.up()
        (web.root / "broken").touch()
        answer(web, "check", "web")

        web.kill_supervisor()

        assert web.status()["web"]["last_error"]["line"] == 12


def fetch(port: int) -> None:
    """Ask for a page as a browser would."""
    from urllib.request import urlopen

    with urlopen(f"http://127.0.0.1:{port}/") as page:
        page.read()


class TestWaiting:
    def test_for_what_is_ready_returns_at_once(self, web: Shop, port: int) -> None:
        web.up()

        code, report = answer(web, "wait")

        assert code == 0
        [row] = report["services"]
        assert (row["service"], row["outcome"], row["url"]) == ("web", "live", f"http://localhost:{port}")

    def test_for_a_start_of_another_program_returns_when_that_is_done(self, web: Shop) -> None:
        starting = web.begin("start")

        code, report = answer(web, "wait", "web")

        assert (code, report["services"][0]["outcome"]) == (0, "live")
        assert starting.finish() == 0

    def test_for_what_cannot_come_up_returns_with_the_cause(self, shop: Shop, port: int) -> None:
        shop.service("web", "say=no_such_table", "exit=1", port=port)
        shop.begin("start").finish()

        code, report = answer(shop, "wait", "web")

        assert code == 1
        [row] = report["services"]
        assert (row["outcome"], row["reason"]) == ("failed", "exited with code 1 before it was ready")
        assert row["log_tail"] == ["no_such_table"]

    @pytest.mark.skipif(not LINUX, reason="measures CPU time in /proc")
    def test_for_a_worker_that_ends_while_it_loads_returns_with_the_cause(self, shop: Shop) -> None:
        shop.service("worker", command=command(shop.root / "worker.py", WORKER), ready={"after": 1})
        shop.up()

        code, report = answer(shop, "wait", "worker")

        assert (code, report["services"][0]["outcome"]) == (1, "failed")
        assert "No module named 'celery'" in report["services"][0]["reason"]

    @pytest.mark.skipif(not LINUX, reason="measures CPU time in /proc")
    def test_for_a_worker_returns_when_it_has_loaded(self, shop: Shop) -> None:
        shop.service(
            "worker", command=f"{command(shop.root / 'worker.py', WORKER)} restful", ready={"after": 1}
        )
        shop.up()

        code, report = answer(shop, "wait", "worker")

        assert (code, report["services"][0]["outcome"]) == (0, "live")
        assert report["seconds"] < STABLE_SECONDS

    @pytest.mark.skipif(not LINUX, reason="reads /proc")
    def test_for_a_worker_that_its_reloader_has_lost_returns_with_the_cause(self, shop: Shop) -> None:
        (shop.root / "worker.py").write_text(WORKER)
        reloader = command(shop.root / "reload.py", WORKERS_RELOADER)
        shop.service("worker", command=f"{reloader} {shop.root}/worker.py --reload", ready={"after": 1})
        shop.up()

        code, report = answer(shop, "wait", "worker")

        assert (code, report["services"][0]["outcome"]) == (1, "failed")
        assert "No module named 'celery'" in report["services"][0]["reason"]

    @pytest.mark.skipif(not LINUX, reason="reads /proc")
    def test_for_a_worker_that_ended_while_it_was_starting_returns_with_the_cause_and_so_does_status(
        self, shop: Shop
    ) -> None:
        """Its last words are older than the phase ready, and nothing is printed after them."""
        reloader = command(shop.root / "reload.py", WORKERS_RELOADER)
        shop.service("db")
        shop.service("worker", command=f"{reloader} {shop.root}/worker.py --reload", ready={"after": 0.5})
        shop.up("db")
        (shop.root / "worker.py").write_text("import sys; sys.exit('no BROKER')")
        with shop.subscribe() as events:
            starting = shop.begin("start")
            events.until(type="phase", service="worker", phase="ready")
            told = events.until(type="phase", service="worker", phase="starting")
            starting.finish()
            code, report = answer(shop, "wait", "worker")

        assert "no BROKER" in told["reason"]
        assert (code, report["services"][0]["outcome"]) == (1, "failed")
        assert "no BROKER" in report["services"][0]["reason"]

    @pytest.mark.skipif(not LINUX, reason="reads /proc")
    def test_for_a_worker_that_its_reloader_starts_again_and_again_returns_with_the_cause(
        self, shop: Shop
    ) -> None:
        (shop.root / "worker.py").write_text("raise KeyError('BROKER')")
        worker = f"{sys.executable} -S -E {shop.root}/worker.py"
        shop.service("worker", command=f"sh -c 'while :; do {worker}; sleep 0.2; done' --watch")
        started = shop("start", "-d")

        code, report = answer(shop, "wait", "worker")

        assert started.returncode != 0
        assert (code, report["services"][0]["outcome"]) == (1, "failed")
        assert report["services"][0]["reason"].startswith(
            "its reloader starts it again and again: KeyError: 'BROKER'"
        )

    def test_too_long_says_what_was_seen_last(self, shop: Shop, port: int) -> None:
        shop.service("web", "never", port=port)
        starting = shop.begin("start")
        starting.until(type="phase", service="web", phase="starting")

        code, report = answer(shop, "wait", "web", "--timeout", "2")

        assert code == 4
        [row] = report["services"]
        assert (row["outcome"], row["reason"]) == (
            "timed out",
            f"nothing listens on port {port} yet",
        )

    def test_less_than_an_answer_takes_does_not_say_that_it_is_ready(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        os.kill(shop.status()["web"]["pid"], signal.SIGSTOP)

        code, report = answer(shop, "wait", "web", "--timeout", "0.5")

        assert code == 4
        assert report["services"][0]["reason"] == "it has not answered in this time"

    @pytest.mark.parametrize("breaks_later", [False, True])
    def test_for_several_says_of_each_what_it_is_when_the_last_one_is_there(
        self, shop: Shop, free_ports: FreePorts, breaks_later: bool
    ) -> None:
        ports = free_ports(2)
        os.mkfifo(shop.root / "held")
        broken = shop.root / "broken"
        shop.service("api", "fails-while=broken", port=ports[0], restart="never")
        shop.service("web", port=ports[1], before_start=f"cat {shop.root}/held")
        if not breaks_later:
            broken.touch()
        starting = shop.begin("start")
        starting.until(type="phase", service="api", phase="ready" if breaks_later else "failed")
        waiting = shop.begin("wait", "--timeout", "30")
        time.sleep(1.5)  # it has seen what the api is; nothing tells that

        if breaks_later:
            os.kill(shop.status()["api"]["pid"], signal.SIGKILL)
        else:
            broken.unlink()
            assert shop("restart", "api").returncode == 0
        (shop.root / "held").write_text("go")

        assert waiting.finish() == (1 if breaks_later else 0)
        rows = {row["service"]: row["outcome"] for row in waiting.seen[-1]["services"]}
        assert rows == {"api": "failed" if breaks_later else "live", "web": "live"}

    def test_for_what_is_stopped_says_what_starts_it(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("api", port=ports[0])
        shop.service("web", port=ports[1])
        shop.up("api")

        code, report = answer(shop, "wait", "web")

        assert code == 1
        assert report["services"][0]["reason"] == "it is stopped: `devinit start web` starts it"
        assert answer(shop, "wait")[0] == 0, "without names what is stopped is not meant"

    def test_after_a_change_returns_when_it_has_been_reloaded(self, api: Shop) -> None:
        api.up()
        saved = time.time()
        (api.root / "main.txt").write_text("better")

        code, _ = answer(api, "wait", "api", "--after", str(saved))

        assert code == 0
        assert "Application startup complete" in api.log("api")

    def test_after_a_change_that_breaks_it_returns_with_the_cause(self, api: Shop) -> None:
        api.up()
        saved = time.time()
        (api.root / "main.txt").write_text("bad")

        code, report = answer(api, "wait", "api", "--after", str(saved))

        assert code == 1
        assert report["services"][0]["reason"] == "SyntaxError: no (main.txt, line 7)"

    @pytest.mark.parametrize("is_time_told", [True, False], ids=["--after", ""])
    @pytest.mark.parametrize(("text", "outcome"), [("good", "live"), ("still bad", "failed")])
    def test_after_a_change_of_what_starts_workers_without_end_waits_for_the_next_one(
        self, shop: Shop, port: int, text: str, outcome: str, *, is_time_told: bool
    ) -> None:
        (shop.root / "main.txt").write_text("good")
        shop.service("api", command=command(shop.root / "api.py", ARBITER), port=port)
        shop.up()
        (shop.root / "main.txt").write_text("bad")
        child = int(subprocess.check_output(["pgrep", "-P", str(shop.status()["api"]["pid"])]))
        os.kill(child, signal.SIGKILL)
        broken = answer(shop, "wait", "api", "--after", str(time.time()), "--timeout", "30")[1]["services"][0]
        time.sleep(0.5)
        saved = time.time()
        (shop.root / "main.txt").write_text(text)

        after = ("--after", str(saved)) if is_time_told else ()
        report = answer(shop, "wait", "api", *after, "--timeout", "30")[1]
        after_that = shop.status()["api"]["phase"]

        assert broken["reason"].startswith("its workers die again and again")
        assert report["services"][0]["outcome"] == outcome
        assert after_that == ("ready" if outcome == "live" else "starting")

    def test_after_a_change_of_what_was_too_slow_waits_for_its_answer(self, shop: Shop, port: int) -> None:
        (shop.root / "main.txt").write_text("busy")
        program = command(shop.root / "api.py", RELOADER)
        shop.service("api", command=program, port=port, ready={"http": "/", "timeout": 1})
        assert shop("start").returncode == 4
        saved = time.time()
        (shop.root / "main.txt").write_text("good")

        code, _ = answer(shop, "wait", "api", "--after", str(saved))

        assert code == 0

    def test_for_a_first_page_that_does_not_come_lasts_until_the_time_is_over(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", command=command(shop.root / "slow.py", SLOW), port=port)
        shop.up()

        code, report = answer(shop, "wait", "web", "--timeout", "7")

        assert (code, report["services"][0]["outcome"]) == (4, "timed out")

    @pytest.mark.parametrize(("status", "is_live"), [("200", True), ("500", False)])
    def test_for_a_first_page_that_is_slow_tells_how_that_was_answered(
        self, shop: Shop, port: int, status: str, *, is_live: bool
    ) -> None:
        shop.service("web", command=command(shop.root / "slow.py", SLOW), port=port)
        shop.up()
        (shop.root / "later.sh").write_text(f"sleep 6; echo {status} > .c; mv .c compiled")
        with subprocess.Popen(["sh", "later.sh"], cwd=shop.root):
            began = time.monotonic()
            code, _ = answer(shop, "wait", "web", "--timeout", "12")

        assert (code == 0, time.monotonic() - began > 5) == (is_live, True)

    @pytest.mark.parametrize("ready", [{}, {"ready": {"tcp": True}}])
    def test_once_says_that_the_first_page_has_not_come_unless_it_need_not(
        self, shop: Shop, port: int, ready: dict[str, Any]
    ) -> None:
        shop.service("web", command=command(shop.root / "slow.py", SLOW), port=port, **ready)
        shop.up()

        code, report = answer(shop, "check", "web")

        said = None if ready else "its first page has given no answer within 5 s"
        assert (code, report["services"][0]["detail"]) == (0 if ready else 1, said)

    def test_of_what_answers_with_an_error_says_what_the_answer_was(self, shop: Shop, port: int) -> None:
        (shop.root / "main.txt").write_text("good")
        program = command(shop.root / "api.py", RELOADER)
        shop.service("api", command=program, port=port, ready={"http": "/"})
        shop.up()
        saved = time.time()
        (shop.root / "main.txt").write_text("busy")

        code, report = answer(shop, "wait", "api", "--after", str(saved), "--timeout", "5")

        assert code == 4
        assert report["services"][0]["reason"] == "GET / answered 503"

    @pytest.mark.parametrize("ready", [{"http": "/"}, None])
    def test_for_what_answers_500_and_logs_why_returns_with_the_cause(
        self, shop: Shop, port: int, ready: dict[str, str] | None
    ) -> None:
        program = command(shop.root / "api.py", MIDDLEWARE)
        shop.service("api", command=program, port=port, **({"ready": ready} if ready else {}))
        shop.up()
        (shop.root / "broken").touch()

        code, report = answer(shop, "wait", "api", "--after", str(time.time()), "--timeout", "30")

        assert (code, report["services"][0]["outcome"]) == (1, "failed")
        assert report["services"][0]["reason"].startswith("ValueError: every request\n")

    def test_of_a_page_that_cannot_be_built_has_the_answer_and_the_error_as_its_reason(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", command=command(shop.root / "w.py", PAGES), port=port, ready={"http": "/"})
        (shop.root / "src").mkdir()
        (shop.root / "src" / "App.jsx").write_text("broken")
        shop.up()
        (shop.root / "broken").touch()

        why = answer(shop, "why", "web")[1]

        assert why["last_error"]
        assert why["reason"] == "GET / answered 500: Unexpected token (src/App.jsx, line 12)"

    def test_leaves_what_answers_500_running_and_its_cause_in_the_status_until_it_answers_well(
        self, shop: Shop, port: int
    ) -> None:
        program = command(shop.root / "api.py", MIDDLEWARE)
        shop.service("api", command=program, port=port, ready={"http": "/"})
        shop.up()
        pid = shop.status()["api"]["pid"]
        (shop.root / "broken").touch()
        answer(shop, "wait", "api")
        broken, why = shop.status()["api"], answer(shop, "why", "api")[1]
        with shop.subscribe() as events:
            (shop.root / "broken").unlink()
            events.until(type="phase", service="api", phase="ready")
        repaired = shop.status()["api"]

        assert broken["reason"].startswith("ValueError: every request\n")
        assert why["reason"] == broken["reason"]
        assert (repaired["phase"], repaired["reason"], repaired["pid"]) == ("ready", None, pid)

    def test_after_a_change_that_nothing_reacts_to_returns_as_well(self, web: Shop) -> None:
        web.up()

        code, _ = answer(web, "wait", "web", "--after", str(time.time()))

        assert code == 0


class TestAnOptionalServiceThatFails:
    @pytest.mark.parametrize("command_that_asks", ["check", "wait"])
    def test_counts_only_where_it_is_named(self, shop: Shop, command_that_asks: str) -> None:
        shop.service("worker", "note=worker")
        shop.service("mail", "exit=3", optional=True)
        shop.up()

        code, report = answer(shop, command_that_asks)

        assert (code, [row["service"] for row in report["services"]]) == (0, ["worker", "mail"])
        assert "exited with code 3" in (
            report["services"][1].get("reason") or report["services"][1]["detail"]
        )
        assert answer(shop, command_that_asks, "mail")[0] == 1
        assert answer(shop, command_that_asks, "worker", "mail")[0] == 1


class TestTheOutputOfAWorker:
    @pytest.mark.parametrize(
        "last",
        [
            "worker: Warm shutdown (MainProcess)",
            "Warm shut down requested",
            "[22:10:57] 1 change detected",
            "INFO: Shutting down",
        ],
    )
    def test_ends_with_words_about_its_end(self, last: str) -> None:
        assert is_ending(["celery@shop ready.", last, ""])

    def test_ends_with_a_crash(self) -> None:
        assert is_ending(
            ["Traceback (most recent call last):", '  File "tasks.py", line 3', "KeyError: 'BROKER'"]
        )

    @pytest.mark.parametrize("last", ["celery@shop ready.", "worker: Warm shutdown\ncelery@shop ready.", ""])
    def test_goes_on_with_another_line(self, last: str) -> None:
        assert not is_ending(last.splitlines())


class TestChecking:
    def test_says_of_each_service_whether_it_answers(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("api", "status=500_Broken", port=ports[0])
        shop.service("web", port=ports[1])
        shop.up()

        code, report = answer(shop, "check")

        assert code == 1
        assert [(row["service"], row["well"], row["detail"]) for row in report["services"]] == [
            ("api", False, "GET / answered 500"),
            ("web", True, None),
        ]
        assert answer(shop, "check", "web")[0] == 0

    def test_of_a_page_that_no_browser_has_opened_waits_for_its_modules(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command=command(shop.root / "dev.py", COLD_SERVER))
        shop.up()

        code, report = answer(shop, "wait", "web")

        assert code != 0
        assert "Failed to resolve import" in json.dumps(report)

    @pytest.mark.parametrize("command", ["check", "wait", "open"])
    def test_of_a_service_that_there_is_not_says_so_where_nothing_runs(self, web: Shop, command: str) -> None:
        words = ["--timeout", "0.1"] if command == "wait" else []

        done = web(command, "wev", *words)

        assert done.returncode == 2
        assert "there is no service 'wev'" in done.stderr
        assert "did you mean web?" in done.stderr

    def test_where_nothing_runs_fails(self, web: Shop) -> None:
        done = web("check")

        assert done.returncode == 1
        assert "nothing runs here" in done.stderr


class TestEvents:
    def test_are_followed_over_starts_and_stops(self, web: Shop) -> None:
        following = web.begin("events", "--follow")

        web.up()

        following.until(type="phase", service="web", phase="ready")
        web("stop")
        following.until(type="phase", service="web", phase="stopped")
        web.up()
        following.until(type="phase", service="web", phase="ready")

    def test_of_the_past_are_told_without_following(self, web: Shop) -> None:
        web.up()

        lines = [json.loads(line) for line in web("events", "--json").stdout.splitlines()]

        assert [each["phase"] for each in lines if each["type"] == "phase"] == [
            "waiting",
            "starting",
            "ready",
        ]
        assert "web: ready after" in web("events").stdout
        assert web("events", "--after", str(time.time() + 60), "--json").stdout == ""


class TestTheSummaryAlone:
    def test_is_all_that_a_start_prints(self, web: Shop) -> None:
        done = web("start", "--json=summary")

        assert done.returncode == 0
        summary = json.loads(done.stdout)
        assert (summary["type"], summary["services"][0]["phase"]) == ("summary", "ready")

    def test_is_an_error_where_there_is_no_start(self, web: Shop) -> None:
        done = web("start", "nothing-there", "--json=summary")

        assert json.loads(done.stdout)["type"] == "error"
