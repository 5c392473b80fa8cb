"""Formats and schemas of files, inferred from samples of their bytes."""
