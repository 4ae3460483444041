"""What commands order or ask beyond start, stop and status: wait, check, run, ports, and the take-over."""
