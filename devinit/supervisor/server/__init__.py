"""The supervisor's own process: how it boots, answers on its socket, and ends."""
