"""Cloche: AWS's AI stack under glass."""

__version__ = "0.1.0"
