"""The `cloche` command: a client of the server, never imported by it."""
