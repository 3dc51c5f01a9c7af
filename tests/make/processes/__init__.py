"""An installation that runs: its processes, its database server, and whoever looks at it from outside."""
