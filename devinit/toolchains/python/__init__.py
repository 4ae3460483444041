"""Python: virtual environments and their installers."""
