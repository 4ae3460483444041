"""What `devinit attach` does while it is attached: show what a service prints, and send it what is typed."""
