"""Queries over files and Arrow data: one interface, and the engines behind it."""
