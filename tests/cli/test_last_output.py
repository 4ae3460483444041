"""Specifies the last line of a service that takes its time to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.cli.last_output import LastOutput

if TYPE_CHECKING:
    from tests.cli.conftest import Shop


class TestTheLastOutput:
    def test_is_the_last_line_that_says_something(self, shop: Shop) -> None:
        shop.log("backend").write_text(
            "--- devinit: backend setup: npm ci at 2026-12-01T10:00:00Z ---\nadded 312\n\x1b[32mdone\x1b[0m\n \n"
        )

        assert LastOutput(str(shop.root)).of("backend") == "done"

    def test_is_nothing_before_this_step_has_printed_anything(self, shop: Shop) -> None:
        shop.log("backend").write_text(
            "of the run before\n--- devinit: backend setup: npm ci at 2026-12-01T10:00:00Z ---\n"
        )

        assert LastOutput(str(shop.root)).of("backend") == ""
        assert LastOutput(str(shop.root)).of("frontend") == ""

    def test_has_no_secrets(self, shop: Shop) -> None:
        (shop.root / ".env.runtime").write_text('API_TOKEN="correct-horse-battery"\n')
        shop.log("backend").write_text("calls with correct-horse-battery\n")

        assert "correct-horse" not in LastOutput(str(shop.root)).of("backend")
