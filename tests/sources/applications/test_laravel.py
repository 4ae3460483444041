"""Specifies what is found beside the pages of Laravel where no script of composer.json says it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devinit.config.detected import detect


def application(root: Path, settings: str, composer: object) -> Path:
    (root / "artisan").write_text("#!/usr/bin/env php\n")
    (root / ".env").write_text(settings)
    (root / "composer.json").write_text(composer if isinstance(composer, str) else json.dumps(composer))
    return root


def required(*names: str, **scripts: object) -> object:
    packages = dict.fromkeys(("laravel/framework", *names), "*")
    return {"require": packages, "scripts": scripts}


class TestLaravel:
    def test_has_its_sockets_where_the_settings_broadcast_by_them(self, tmp_path: Path) -> None:
        settings = "BROADCAST_CONNECTION=reverb\nREVERB_SERVER_PORT=8090\n"

        services = detect(application(tmp_path, settings, required("laravel/reverb"))).services

        assert services["reverb"].command == "php artisan reverb:start --host=127.0.0.1 --port=${PORT}"
        assert services["reverb"].port is not None
        assert (services["reverb"].port.preferred, services["reverb"].port.strict) == (8090, True)

    def test_has_none_where_nothing_broadcasts(self, tmp_path: Path) -> None:
        services = detect(
            application(tmp_path, "BROADCAST_CONNECTION=log\n", required("laravel/reverb"))
        ).services

        assert "reverb" not in services

    @pytest.mark.parametrize(("port", "expected"), [("", 6001), ("LARAVEL_WEBSOCKETS_PORT=6010\n", 6010)])
    def test_has_the_server_that_speaks_as_pusher_does(
        self, tmp_path: Path, port: str, expected: int
    ) -> None:
        packages = required("beyondcode/laravel-websockets")

        services = detect(application(tmp_path, f"BROADCAST_DRIVER=pusher\n{port}", packages)).services

        sockets = services["websockets"]
        assert sockets.command == "php artisan websockets:serve --host=127.0.0.1 --port=${PORT}"
        assert sockets.port is not None
        assert (sockets.port.preferred, sockets.port.strict) == (expected, True)

    def test_uses_pusher_itself_where_no_server_for_it_is_installed(self, tmp_path: Path) -> None:
        assert list(detect(application(tmp_path, "BROADCAST_DRIVER=pusher\n", required())).services) == [
            "backend"
        ]

    def test_works_off_a_queue_in_redis_by_horizon_where_that_is_installed(self, tmp_path: Path) -> None:
        root = application(tmp_path, "QUEUE_CONNECTION=redis\n", required("laravel/horizon"))

        assert detect(root).services["worker"].command == "php artisan horizon"

    def test_says_what_of_its_script_is_not_started(self, tmp_path: Path) -> None:
        dev = ['npx concurrently "php artisan serve" "php artisan solo:watch" --names=server,solo']

        found = detect(application(tmp_path, "", required(dev=dev)))

        assert "composer.json, line 1: `php artisan solo:watch` is not started" in "\n".join(found.notes)

    @pytest.mark.parametrize(
        "composer",
        ['{"require": {"laravel/framework": "*"}, "scripts": ', '["laravel/framework"]', '{"scripts": {"dev": [3, {}]}, "laravel/framework": 1}'],
    )  # fmt: skip
    def test_is_found_whatever_else_its_composer_file_says(self, tmp_path: Path, composer: str) -> None:
        assert "backend" in detect(application(tmp_path, "", composer)).services
