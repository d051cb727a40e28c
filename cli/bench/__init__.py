"""How fast this machine is, and what limits it."""
