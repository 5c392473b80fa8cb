"""Iceberg's files in the object store, for pyiceberg."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile

from cloche.engines.objects.store import ObjectRecord
from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.services.athena.failures import permission_denied
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.session import Session
from cloche.services.s3.errors import InvalidBucketName, NoSuchBucket


class ObjectsIO(FileIO):
    """Reads objects as a session's caller; writes nothing.

    Args:
        session: in whose name.
    """

    def __init__(self, session: Session) -> None:
        super().__init__({})
        self._session = session

    def new_input(self, location: str) -> InputFile:
        """An object by its URL."""
        return _Object(self._session, location)

    def new_output(self, location: str) -> OutputFile:
        """Nothing is written here.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Nothing is deleted here.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(str(location))


class _Object(InputFile):
    def __init__(self, session: Session, location: str) -> None:
        super().__init__(location)
        self._session = session
        self._record: ObjectRecord | None = None

    def __len__(self) -> int:
        return self._found().size_bytes

    def exists(self) -> bool:
        """Whether it is there."""
        try:
            self._found()
        except QueryError:
            return False
        return True

    def open(self, seekable: bool = True) -> InputStream:
        """Its bytes."""
        record = self._found()
        objects = self._session.objects
        path = objects.store.local_path(record)
        stream: IO[Any]
        if path is not None:
            stream = path.open("rb")
        else:
            stream = BytesIO(objects.wait(objects.read(record, 0, record.size_bytes)))
        return stream  # pyright: ignore[reportReturnType] # a binary file is an InputStream

    def _found(self) -> ObjectRecord:
        if self._record is None:
            self._record = self._find()
        return self._record

    def _find(self) -> ObjectRecord:
        objects = self._session.objects
        try:
            bucket, key = bucket_and_key(self.location)
            if not objects.is_allowed("GetObject", bucket, key):
                raise permission_denied(
                    f"Permission denied on S3 path: {self.location}", is_s3=True
                )
        except (ValueError, NoSuchBucket, InvalidBucketName):
            raise self._missing() from None
        record = objects.wait(objects.store.head(bucket, key))
        if record is None or record.is_delete_marker:
            raise self._missing()
        return record

    def _missing(self) -> QueryError:
        return QueryError(
            ErrorKind.HIVE_CANNOT_OPEN_SPLIT,
            f"ICEBERG_CANNOT_OPEN_SPLIT: {self.location} does not exist",
        )
