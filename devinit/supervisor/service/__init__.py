"""One service: its lifecycle, preparation, processes and end."""
