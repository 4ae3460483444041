"""The wire between the programs: one unix socket, JSON-RPC 2.0, one object a line."""
