"""Version requirements in the notations of each ecosystem. Each parser returns None for unknown syntax."""
