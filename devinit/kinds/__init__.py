"""The kinds of services, one folder each: what a kind is, and how it is run."""
