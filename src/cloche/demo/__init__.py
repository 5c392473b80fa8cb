"""The demo: real data through every service, one stage a file. A client of the server only."""
