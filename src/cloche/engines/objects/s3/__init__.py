"""Objects in the buckets of another S3 endpoint."""

from cloche.engines.objects.s3.store import S3ObjectStore

__all__ = ["S3ObjectStore"]
