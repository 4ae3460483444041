"""What the gateway answers itself, behind Caddy."""
