from __future__ import annotations

from devinit.model.port import LeaseOwner
from devinit.ports.granting.displaced import notes_about
from devinit.ports.leases import Displaced


def owner(project: str, root: str = "", service: str = "backend") -> LeaseOwner:
    return LeaseOwner(root=root or f"/home/ada/{project}", project=project, service=service, pid=1, at=0.0)


SHOP = owner("shop")


class TestPortsThatAStoppedProjectUsed:
    def test_are_told_in_one_sentence_for_each_project(self) -> None:
        ports = [
            (8000, Displaced(owner("guestbook"), kept=False)),
            (3000, Displaced(owner("guestbook", service="frontend"), kept=False)),
            (6379, Displaced(owner("blog", service="redis"), kept=False)),
        ]

        assert list(notes_about(ports, SHOP)) == [
            "3000 and 8000 are also used by guestbook, which is stopped",
            "6379 is also used by blog, which is stopped",
        ]

    def test_name_the_folder_of_a_project_with_the_same_name(self) -> None:
        ports = [(8000, Displaced(owner("shop", "/home/ada/copy of shop"), kept=False))]

        assert list(notes_about(ports, SHOP)) == [
            "8000 is also used by shop (/home/ada/copy of shop), which is stopped"
        ]


class TestPortsThatWereReserved:
    def test_are_told_one_by_one_with_what_it_means_to_the_other_project(self) -> None:
        assert list(notes_about([(8001, Displaced(owner("guestbook"), kept=True))], SHOP)) == [
            "8001 was reserved for backend of guestbook, which is stopped and may have to move at its next start"
        ]
