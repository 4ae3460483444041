"""Python: virtual environments, and what installs into them."""
