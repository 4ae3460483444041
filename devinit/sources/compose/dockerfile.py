"""The facts in a Dockerfile about running its image: command, folder, ports, and copied files. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from msgspec import Struct, structs

MOST_LINES = 2_000
MOST_STAGES = 50
_HEREDOC = re.compile(r"<<-?[\"']?(\w{1,50})[\"']?")


class Instruction(Struct, frozen=True):
    """An instruction of a Dockerfile."""

    number: int
    """The line number, from 1."""
    word: str
    """The instruction's name in capitals."""
    rest: str


class Stage(Struct, frozen=True):
    """The result of one stage of a Dockerfile."""

    name: str = ""
    image: str = ""
    """The base image of the stage, and of the stages that it is based on."""
    command: tuple[str, ...] = ()
    command_line: int = 0
    says: str = ""
    """The instruction that states the command."""
    entrypoint: tuple[str, ...] = ()
    folder: str = ""
    """The working directory (WORKDIR)."""
    exposed: tuple[int, ...] = ()
    copied: tuple[tuple[str, str], ...] = ()
    """Sources in the context and their targets, which are relative to `folder` if no WORKDIR preceded them."""


def stage_of(text: str, target: str = "") -> Stage | None:
    """Return the stage to build: that named `target`, else the last one; None if there are none."""
    stages: list[Stage] = []
    for line in instructions(text):
        if line.word == "FROM":
            if len(stages) == MOST_STAGES:
                break
            stages.append(_begun(line.rest, stages))
        elif stages:
            stages[-1] = _with(stages[-1], line)
    wanted = next((each for each in stages if target and each.name.lower() == target.lower()), None)
    return wanted or (stages[-1] if stages else None)


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions, joined with their continuation lines."""
    lines = iter(enumerate(text.split("\n")[:MOST_LINES], start=1))
    for number, line in lines:
        whole = line.strip()
        if not whole or whole.startswith("#"):
            continue
        parts = [whole]
        while parts[-1].endswith("\\"):
            parts[-1] = parts[-1][:-1]
            _, following = next(lines, (0, ""))
            parts.append("\\" if following.strip().startswith("#") else following.strip())
        whole = " ".join(parts)
        if (found := _HEREDOC.search(whole)) is not None:
            for _, following in lines:
                if following.strip() == found[1]:
                    break
        word, _, rest = whole.partition(" ")
        yield Instruction(number, word.upper(), rest.strip())


def _begun(rest: str, stages: list[Stage]) -> Stage:
    words = [word for word in rest.split() if not word.startswith("--")]
    image = words[0] if words else ""
    name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""  # noqa: PLR2004 - image AS name
    below = next((each for each in stages if each.name and each.name.lower() == image.lower()), None)
    return structs.replace(below, name=name) if below else Stage(name=name, image=image)


def _with(stage: Stage, line: Instruction) -> Stage:
    match line.word:
        case "CMD":
            says = f"CMD {line.rest}"
            return structs.replace(stage, command=words_in(line.rest), command_line=line.number, says=says)
        case "ENTRYPOINT":
            words, says = words_in(line.rest), f"ENTRYPOINT {line.rest}"
            return structs.replace(stage, entrypoint=words, command=(), command_line=line.number, says=says)
        case "WORKDIR":
            folder = line.rest.strip("\"'")
            is_absolute = folder.startswith("/") or not stage.folder
            return structs.replace(stage, folder=folder if is_absolute else f"{stage.folder}/{folder}")
        case "EXPOSE":
            ports = [word.partition("/")[0] for word in line.rest.split()]
            numbers = (int(each) for each in ports if each.isascii() and each.isdigit() and len(each) < 6)  # noqa: PLR2004
            return structs.replace(stage, exposed=(*stage.exposed, *numbers)[:20])
        case "COPY" | "ADD":
            copied = ((source, _inside(place, stage)) for source, place in _copied(line.rest))
            return structs.replace(stage, copied=(*stage.copied, *copied)[:100])
    return stage


def _inside(place: str, stage: Stage) -> str:
    """Return the target of a copy in the current WORKDIR, which a later WORKDIR does not change."""
    return place if place.startswith("/") or not stage.folder else f"{stage.folder.rstrip('/')}/{place}"


def words_in(rest: str) -> tuple[str, ...]:
    """Return the words of CMD or ENTRYPOINT; a shell form becomes `sh -c`."""
    if rest.startswith("["):
        try:
            words = json.loads(rest)
        except (ValueError, RecursionError):
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return tuple(words)
    return ("sh", "-c", rest) if rest else ()


def _copied(rest: str) -> Iterator[tuple[str, str]]:
    if rest.startswith(("[", "<")) or "--from" in rest:
        return
    words = [word.strip("\"'") for word in rest.split() if not word.startswith("--")]
    yield from ((source, words[-1]) for source in words[:-1])
