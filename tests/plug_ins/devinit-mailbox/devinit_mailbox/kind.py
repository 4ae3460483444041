"""A mailbox: what it is."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from devinit.kinds.kind import Keys, Kind


class MailboxKeys(Keys, frozen=True, kw_only=True):
    """The keys that a mailbox declares."""

    title: Annotated[str | None, Meta(description="what stands above the mails. Default: Mailbox.")] = None


MAILBOX = Kind(
    name="mailbox",
    runner="devinit_mailbox.provider:MailboxProvider",
    own=MailboxKeys,
    keys=frozenset({"url_path"}),
    default_port=8025,
    has_pages=True,
)
