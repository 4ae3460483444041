"""Specifies the text in which numbers are printed."""

from __future__ import annotations

from devinit.metrics.exposition import Family, Sample, exposition


class TestAFamily:
    def test_says_what_it_is_before_its_numbers(self) -> None:
        family = Family(
            "devinit_x_total", "counter", "Times.", [Sample({"project": "shop"}, 3.0), Sample({}, 0.25)]
        )

        assert exposition([family]) == (
            '# HELP devinit_x_total Times.\n# TYPE devinit_x_total counter\ndevinit_x_total{project="shop"} 3\n'
            "devinit_x_total 0.25\n"
        )

    def test_without_numbers_is_left_out(self) -> None:
        assert exposition([Family("devinit_x", "gauge", "Nothing.", [])]) == ""

    def test_has_labels_of_any_text(self) -> None:
        family = Family("devinit_x", "gauge", "One\nline", [Sample({"project": 'a"b\\c\nd'}, 1)])

        assert exposition([family]).splitlines() == [
            "# HELP devinit_x One\\nline",
            "# TYPE devinit_x gauge",
            'devinit_x{project="a\\"b\\\\c\\nd"} 1',
        ]
