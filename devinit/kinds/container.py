"""What runs a kind of service in a container: a published image, and how it is configured. Pure."""

from __future__ import annotations

from msgspec import Struct


class Container(Struct, frozen=True, kw_only=True):
    """A published image that does for a service what devinit does for it on this machine.

    The function that `Kind.container` names makes one for a service. Its password may be a placeholder: it is
    copied, and neither checked nor encoded.
    """

    image: str
    """With its tag: `postgres:16`."""
    port: int
    """On which it listens in its container; 0: on none."""
    data: str = ""
    """The folder in the container that has to outlive it; empty: none."""
    mounts: tuple[str, ...] = ()
    """What else it has: `NAME:/PATH` is another volume, `./FOLDER:/PATH:ro` lies in the project."""
    environment: dict[str, str] = {}
    entrypoint: tuple[str, ...] = ()
    """What is run instead of the image's own."""
    command: tuple[str, ...] = ()
    """Arguments instead of the image's own."""
    health: str = ""
    """A line of shell that succeeds in the container once it is ready; empty: none is known."""
    provision: tuple[str, ...] = ()
    """Lines of shell that are run once when it is ready, in another container of the image."""
    provision_environment: dict[str, str] = {}
