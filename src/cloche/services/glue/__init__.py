"""AWS Glue: the Data Catalog."""

from cloche.services.glue.service import service

__all__ = ["service"]
