"""Specifies which programs of Rust are found: servers, and what serves pages that are written in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.config.detected import detect

PACKAGE = '[package]\nname = "shop"\nversion = "0.1.0"\n'
MAIN = "fn main() {}\n"


def laid_out(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


class TestAPageInRust:
    @pytest.mark.parametrize(
        ("files", "command", "port"),
        [
            (
                {"index.html": '<link data-trunk rel="rust" />'},
                "trunk serve --address 127.0.0.1 --port ${PORT}",
                8080,
            ),
            (
                {"Trunk.toml": '[build]\ntarget = "index.html"\n\n[serve]\nopen = true\nport = 9000\n'},
                "trunk serve --address 127.0.0.1 --port ${PORT}",
                9000,
            ),
            ({"Dioxus.toml": "[application]\n"}, "dx serve --addr 127.0.0.1 --port ${PORT}", 8080),
            (
                {
                    "Cargo.toml": f'{PACKAGE}\n[dependencies]\naxum = "0.8"\nleptos = "0.8"\n\n'
                    '[package.metadata.leptos]\nsite-addr = "127.0.0.1:3007"\n'
                },
                "cargo leptos watch",
                3007,
            ),
        ],
        ids=["trunk", "port of trunk", "dioxus", "leptos"],
    )
    def test_is_served_by_its_tool(
        self, tmp_path: Path, files: dict[str, str], command: str, port: int
    ) -> None:
        root = laid_out(tmp_path, {"Cargo.toml": PACKAGE, "src/main.rs": MAIN, **files})

        services = detect(root).services

        assert {name: each.command for name, each in services.items()} == {"frontend": command}
        assert services["frontend"].port is not None
        assert services["frontend"].port.preferred == port

    def test_gets_its_address_where_only_a_variable_says_it(self, tmp_path: Path) -> None:
        cargo = f"{PACKAGE}\n[package.metadata.leptos]\n"
        root = laid_out(tmp_path, {"Cargo.toml": cargo, "src/main.rs": MAIN})

        assert detect(root).services["frontend"].env == {"LEPTOS_SITE_ADDR": "127.0.0.1:${PORT}"}


class TestAServerOfLoco:
    def test_is_told_to_start(self, tmp_path: Path) -> None:
        cargo = f'{PACKAGE}\n[dependencies]\nloco-rs = "0.16"\n'
        root = laid_out(tmp_path, {"Cargo.toml": cargo, "src/main.rs": MAIN})

        service = detect(root).services["backend"]

        assert service.command == "cargo run -- start --binding 127.0.0.1 --port ${PORT}"


class TestALibrary:
    def test_is_not_named_as_a_program(self, tmp_path: Path) -> None:
        files = {
            "server/Cargo.toml": f'{PACKAGE}\n[dependencies]\naxum = "0.8"\n',
            "server/src/main.rs": 'fn main() { TcpListener::bind("127.0.0.1:3000"); }\n',
            "shapes/Cargo.toml": PACKAGE,
            "shapes/src/lib.rs": "pub struct Square;\n",
            "crawler/Cargo.toml": PACKAGE,
            "crawler/src/main.rs": MAIN,
        }

        notes = "\n".join(detect(laid_out(tmp_path, files)).notes)

        assert "crawler/" in notes
        assert "shapes/" not in notes


def test_the_window_of_a_tauri_application_is_not_named_as_a_server(tmp_path: Path) -> None:
    root = laid_out(
        tmp_path,
        {"src-tauri/Cargo.toml": PACKAGE, "src-tauri/src/main.rs": MAIN, "src-tauri/tauri.conf.json": "{}"},
    )

    assert not any("looks like a program" in note for note in detect(root).notes)
    (root / "src-tauri/tauri.conf.json").unlink()
    assert any("looks like a program in Rust" in note for note in detect(root).notes)
