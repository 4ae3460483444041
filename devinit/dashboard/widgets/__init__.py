"""What screens are made of: they are given values and post messages."""
