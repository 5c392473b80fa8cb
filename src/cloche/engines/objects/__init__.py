"""Bytes by bucket and key."""
