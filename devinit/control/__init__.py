"""The protocol between the programs: one Unix socket, JSON-RPC 2.0, one object per line."""
