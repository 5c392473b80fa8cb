"""Headline figures, each measured against its peers in the same run: `make bench`."""
