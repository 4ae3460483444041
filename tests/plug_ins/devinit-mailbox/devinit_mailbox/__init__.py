"""A plug-in for devinit: a mailbox that shows what an application sends while it is developed."""
