"""One service: its lifecycle, its processes, its preparation and its end."""
