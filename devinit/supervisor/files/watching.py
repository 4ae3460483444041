"""Restart a service that cannot reload itself when one of its files changes.

watchfiles is loaded only when a service asks for it (docs/adr: files are watched by watchfiles).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from devinit.errors import StateFileError
from devinit.supervisor.files.own_writes import SOON_SECONDS, Change, History, noticed, restarted, settled
from devinit.supervisor.files.watch_patterns import folders_named_by, matcher, reach, with_folders
from devinit.system import snapshot
from devinit.system.birth import birth_of
from devinit.system.bounds import bounds_within
from devinit.system.digest import blake2b
from devinit.system.files import read_bytes
from devinit.system.snapshot import (
    NOTHING,
    Extent,
    Snapshot,
    TooManyEntries,
    differences,
    folders_of,
    is_below,
    look_again,
)

log = logging.getLogger(__name__)

DEBOUNCE_MILLISECONDS = 400
"""How long changes may continue before they count: an editor writes a file in several steps, git writes many
files.
"""
STEP_MILLISECONDS = 100
"""How often watchfiles checks whether its thread has received events; a watched service wakes us as often."""
TICK_MILLISECONDS = 1000
"""How often to check whether a delayed restart is due, and whether the watched folders are still the same ones."""
NOTICED_SECONDS = 0.5
"""A restart that waits longer is shown; otherwise a file that was just saved seems not to be watched."""
RETRY_SECONDS = (5.0, 10.0, 20.0, 60.0)
"""Delays before repeated attempts to watch folders that cannot be watched."""
ILLEGIBLE = "Unable to decode path"
"""Part of watchfiles' error about a file whose name is not UTF-8."""
ILLEGIBLE_SECONDS = 0.5
"""How long the watch pauses after such an error: a program may write many such files."""
LONGEST_AGE_SECONDS = 10.0
"""Maximum age of a change when it is noticed, because the service may have been restarting."""
LARGEST_COMPARED = 1_000_000
"""A file with more bytes counts as changed whenever it is written."""


Awatch: TypeAlias = Callable[..., AsyncGenerator[set[tuple[Any, str]], None]]
"""watchfiles' function. `Any` is its kind of change, which is not used."""


class Watched(Protocol):
    """A service whose files are watched."""

    async def restart(self, reason: str) -> None:
        """Start the service again."""
        ...

    def up_seconds(self) -> float | None:
        """Return how long the service has been up, or has been failed; None while it is starting."""
        ...

    def show(self, condition: str | None) -> None:
        """Set the problem with the watch that `status` and `why` show; None clears it."""
        ...

    def note(self, text: str) -> None:
        """Show the developer a note, once."""
        ...


def describe(paths: list[str]) -> str:
    """Describe which files changed."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more} changed"


def too_many_folders() -> str:
    """Describe a watch that does not cover all folders."""
    return (
        f"more than {snapshot.MOST_FOLDERS:,} folders lie where `watch` looks: it sees no files in the deepest of "
        "them; name the folders of your source code in it"
    )


def too_many() -> str:
    """Describe a watch that does not compare files."""
    return (
        f"more than {snapshot.MOST_ENTRIES:,} files lie where `watch` looks: it sees what you save, and not what "
        "comes or goes with a whole folder; name the folders of your source code in it"
    )


async def watch(directory: Path, root: Path, patterns: tuple[str, ...], service: Watched) -> None:
    """Restart a service of the project at `root` when its files change, until this is cancelled."""
    # Importing takes 0.1 s, only for services with `watch`; the others go on starting meanwhile.
    awatch = await asyncio.to_thread(load_watcher)
    watching = Watching(directory, root, patterns, service)
    while True:
        try:
            await watching.until_replaced(awatch)
        except (OSError, RuntimeError, ExceptionGroup) as raised:
            error = single(raised)
            if not isinstance(error, OSError | RuntimeError):
                raise
            if ILLEGIBLE in str(error):
                # The watch ends at such a file. The next watch begins with a look at all files.
                await asyncio.sleep(ILLEGIBLE_SECONDS)
                continue
            # The user's watches are used up (fs.inotify.max_user_watches), or the folder is gone.
            log.warning("%s: %s", directory, error)
            await asyncio.sleep(watching.failed(error))


def single(error: Exception) -> Exception:
    """Return the single error in nested groups: the library wraps the errors of its thread."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class Watching:
    """The watch on the files of one service, across all its restarts."""

    def __init__(self, directory: Path, root: Path, patterns: tuple[str, ...], service: Watched) -> None:
        self._directory, self._service = directory, service
        self._matches = matcher(patterns)
        self._named = folders_named_by(with_folders(patterns))
        self._extent = Extent(
            str(directory),
            reach(with_folders(patterns)),
            lambda path: bounds_within(root, directory).holds(path),
        )
        self._seen: Snapshot | None = None
        """The state of the files at the last look; None before the first look, and when there are too many
        files.
        """
        self._too_many: str | None = None
        """The note about files or folders that are not watched because there are too many."""
        self._came: set[str] = set()
        """Folders that were created since the watch began."""
        self._history = History()
        self._failures = 0
        """Number of consecutive failures to watch the files."""
        self._unseen: dict[str, Change] = {}
        """Possible changes while the files were not watched."""
        self._warned: set[str] = set()
        """Files that a note has named as the service's own writes."""

    async def until_replaced(self, awatch: Awatch) -> None:
        """Watch until other folders have to be watched: a watch belongs to a folder, not to its name.

        Raise OSError or RuntimeError when the files cannot be watched.
        """
        is_first, is_new = True, self._seen is None
        if is_new:
            await self._look({""}, ())
        identity, known = identity_of(self._directory), self._folders_seen()
        self._came.clear()
        found = awatch(
            *await self._folders(),
            # watchfiles would follow every link, and watch folders that no pattern matches.
            recursive=False,
            watch_filter=lambda _change, path: self._concerns(relative(path, self._directory)),
            debounce=DEBOUNCE_MILLISECONDS,
            step=STEP_MILLISECONDS,
            rust_timeout=TICK_MILLISECONDS,
            yield_on_timeout=True,
        )
        async with contextlib.aclosing(found):
            async for changes in found:
                if self._failures:
                    self._failures = 0
                    self._service.note("its files are watched again")
                # watchfiles does not report changes between two watches.
                changed = await self._changed(changes, everywhere=is_first and not is_new)
                if is_first and is_new:
                    # Files that the service's own first start has written (`before_start`) have not changed.
                    await self._look({""}, ())
                await self._take_notice(changed)
                is_first = False
                is_replaced = identity != identity_of(self._directory)
                are_others = is_replaced or bool(self._came) or known != self._folders_seen()
                if are_others and self._seen is None:
                    # The restart comes once the new folder is watched, so that no change is missed.
                    replaced = [f"{each}/" for each in sorted(self._came & self._named)]
                    replaced += ["its folder"] if is_replaced else []
                    self._unseen |= dict.fromkeys(replaced, Change(soon=False))
                    return
                await self._act()
                if are_others:
                    return

    def failed(self, error: Exception) -> float:
        """Record that the files cannot be watched; return the seconds until the next attempt."""
        from devinit.system.watch_limits import in_words  # only for a failure

        problem, cure = in_words(error)
        restart = f"{cure}; until then `devinit restart`" if cure else "`devinit restart`"
        text = f"its files are not watched: {problem}; {restart} loads what you change"
        if not self._failures:
            self._service.note(text)
        self._service.show(text)
        self._unseen["what was not watched"] = Change(soon=False)
        self._failures += 1
        return RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS)) - 1]

    async def _folders(self) -> list[Path]:
        """Return the folders to watch: the service's own, and those below it that a pattern reaches."""
        folders, are_more = await asyncio.to_thread(folders_of, self._extent, self._seen)
        self._say_too_many(too_many_folders() if are_more else too_many() if self._seen is None else None)
        # Its own folder is always included: if it cannot be watched, that is an error.
        return [self._directory / each for each in dict.fromkeys(("", *folders))]

    def _folders_seen(self) -> frozenset[str] | None:
        return self._seen.folders if self._seen is not None else None

    def _say_too_many(self, text: str | None) -> None:
        if text is not None and text != self._too_many:
            self._service.note(text)
        self._too_many = text

    def _concerns(self, path: str) -> bool:
        return self._matches(path) or self._is_folder(path)

    def _is_folder(self, path: str) -> bool:
        """Return whether files that match may have come or gone with a folder."""
        if not self._extent.reaches(path):
            return False
        return path in (self._folders_seen() or ()) or (self._directory / path).is_dir()

    async def _changed(self, changes: set[tuple[Any, str]], *, everywhere: bool) -> set[str]:
        """Return the changed files: the reported ones, and those that came or went with a folder.

        `everywhere`: look at all files, whatever is reported.
        """
        kinds: dict[str, set[str]] = {}
        for kind, path in changes:
            kinds.setdefault(relative(path, self._directory), set()).add(kind.name)
        reported = set(filter(self._matches, kinds))
        folders = set(filter(self._is_folder, kinds))
        self._came |= {path for path in folders if "added" in kinds[path]}
        before = self._seen
        if before is None or not (reported or folders or everywhere):
            return reported
        after = await self._look({""} if everywhere else folders, reported)
        if after is None:
            return reported
        # A folder that was away for a moment has the same files, but the service may have failed without them.
        away = {path for path in folders if "deleted" in kinds[path]}
        back = {path for path in after.files if is_below(path, away)}
        return reported | set(filter(self._matches, differences(before, after) | back))

    async def _look(self, folders: Collection[str], files: Collection[str]) -> Snapshot | None:
        """Update the state of these folders and files; return that of all files, or None if there are too many."""
        before = self._seen or NOTHING
        try:
            self._seen = await asyncio.to_thread(look_again, before, folders, files, self._extent)
        except TooManyEntries:
            self._seen = None
        return self._seen

    async def _take_notice(self, paths: set[str]) -> None:
        up = self._service.up_seconds()
        soon = up is None or up < SOON_SECONDS
        known = self._history.digests.keys()
        compared = [path for path in paths if soon or path in known]
        digests = await asyncio.to_thread(digests_of, compared, self._directory) if compared else {}
        changes = {
            path: Change(soon, digests.get(path), age_of(self._directory / path)) for path in sorted(paths)
        }
        self._history = noticed(self._history, {**changes, **self._unseen}, asyncio.get_running_loop().time())
        self._unseen.clear()

    async def _act(self) -> None:
        due, up = self._history.due, self._service.up_seconds()
        if due is not None and due <= asyncio.get_running_loop().time():
            reason = describe(list(self._history.pending))
            self._history = restarted(self._history, asyncio.get_running_loop().time())
            await self._service.restart(reason)
        elif due is None and up is not None and up >= SOON_SECONDS:
            self._history = settled(self._history)
            self._warned.clear()
        self._service.show(self._condition())

    def _condition(self) -> str | None:
        own = self._history.own
        if not own:
            return self._waiting() or self._too_many
        path, seconds = min(own.items())
        text = (
            f"{path} changed soon after each of the last restarts: the next one for it waits {seconds:g} s; "
            "leave it out of `watch` if the service writes it itself"
        )
        if path not in self._warned:
            self._warned.add(path)
            self._service.note(text)
        return text

    def _waiting(self) -> str | None:
        """Describe the pending restart with the longest noticeable delay."""
        waits = {path: each.due - each.at for path, each in self._history.pending.items()}
        path = min(waits, key=waits.__getitem__, default="")
        if waits.get(path, 0.0) < NOTICED_SECONDS:
            return None
        return (
            f"{path} changed soon after each of the last restarts: the restart for it waits {waits[path]:.1f} s; "
            "leave it out of `watch` if the service writes it itself"
        )


def identity_of(folder: Path) -> tuple[int, int] | None:
    """Return what distinguishes a folder from a later one of the same name, perhaps with the same inode number."""
    try:
        return folder.stat().st_ino, birth_of(folder)
    except OSError:
        return None


def digests_of(paths: Iterable[str], directory: Path) -> dict[str, bytes | None]:
    """Return a digest of each file's content."""
    return {path: digest_of(directory / path) for path in paths}


def digest_of(path: Path) -> bytes | None:
    """Return a digest of a file's content; None when it is no file or cannot be compared."""
    try:
        content = read_bytes(path, most=LARGEST_COMPARED)
    except StateFileError:
        return None
    # A missing file has the same digest each time, too.
    return b"" if content is None else blake2b(content, digest_size=16).digest()


def age_of(path: Path) -> float:
    """Return how many seconds ago a file was written; 0 when its time does not fit a change noticed just now."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
    # A copy may keep the time of the original.
    return age if 0.0 <= age <= LONGEST_AGE_SECONDS else 0.0


def load_watcher() -> Awatch:
    """Import watchfiles' `awatch`."""
    # anyio needs the modules that `boot` withheld from our own start.
    for name in [name for name, module in sys.modules.items() if module is None]:
        del sys.modules[name]
    from watchfiles import awatch  # for a service that watches, once the withheld modules are available

    return awatch


def relative(path: str, directory: Path) -> str:
    """Return a path relative to a folder, as patterns need it."""
    return path.removeprefix(f"{directory}/")
