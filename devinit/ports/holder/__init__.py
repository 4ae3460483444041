"""Holders of ports: finding, naming and judging them."""
