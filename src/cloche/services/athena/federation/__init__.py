"""Federated data catalogs: databases elsewhere, reached by Glue connections."""
