"""A published image that runs a kind of service in a container, with its configuration. Pure."""

from __future__ import annotations

from msgspec import Struct


class Container(Struct, frozen=True, kw_only=True):
    """A published image that does the work of a service on this machine.

    The function named by `Kind.container` creates one for a service. Its password may be a placeholder: it is
    copied, and neither checked nor encoded.
    """

    image: str
    """With its tag: `postgres:16`."""
    port: int
    """The port on which it listens in its container; 0: none."""
    data: str = ""
    """The folder in the container that must persist; empty: none."""
    mounts: tuple[str, ...] = ()
    """Further mounts: `NAME:/PATH` is another volume, `./FOLDER:/PATH:ro` is in the project."""
    environment: dict[str, str] = {}
    entrypoint: tuple[str, ...] = ()
    """Replaces the image's own entrypoint."""
    command: tuple[str, ...] = ()
    """Arguments that replace the image's own."""
    health: str = ""
    """A shell command that succeeds in the container once it is ready; empty: none is known."""
    provision: tuple[str, ...] = ()
    """Shell commands to run once when it is ready, in another container of the image."""
    provision_environment: dict[str, str] = {}
