"""The supervisor's own process: its boot, the answers on its socket, and its end."""
