"""Iceberg's files in the object store, for pyiceberg."""

from __future__ import annotations

from io import BytesIO
from io import FileIO as FileIOBase
from typing import Any
from uuid import uuid4

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream

from cloche.engines.objects.store import ObjectRecord
from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.services.athena.failures import QueryFailed, permission_denied
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.session import Session
from cloche.services.s3.errors import InvalidBucketName, NoSuchBucket


class ObjectsIO(FileIO):
    """Reads and writes objects as a session's caller.

    Args:
        session: in whose name.
    """

    def __init__(self, session: Session) -> None:
        super().__init__({})
        self._session = session

    def new_input(self, location: str) -> InputFile:
        """An object by its URL."""
        return _Object(self._session, location)

    def record_of(self, location: str) -> ObjectRecord:
        """The object at a place, which the caller may read.

        Raises:
            QueryError: there is none.
            QueryFailed: the caller may not.
        """
        return _Object(self._session, location).record()

    def new_output(self, location: str) -> OutputFile:
        """An object that is to be written."""
        return _NewObject(self._session, location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Remove an object.

        Raises:
            PermissionError: the caller may not; pyiceberg, which removes old metadata, goes on.
        """
        url = location if isinstance(location, str) else location.location
        bucket, key = bucket_and_key(url)
        try:
            self._session.objects.wait(self._session.objects.delete(bucket, [key]))
        except QueryFailed as error:
            raise PermissionError(error.reason) from error


class _NewObject(OutputFile):
    def __init__(self, session: Session, location: str) -> None:
        super().__init__(location)
        self._session = session

    def __len__(self) -> int:
        return len(self.to_input_file())

    def exists(self) -> bool:
        """Whether it is there."""
        return self.to_input_file().exists()

    def to_input_file(self) -> InputFile:
        """As an object to read."""
        return _Object(self._session, self.location)

    def create(self, overwrite: bool = False) -> OutputStream:
        """A stream whose bytes are stored when it is closed.

        Raises:
            FileExistsError: it is there and is not to be overwritten.
        """
        if not overwrite and self.exists():
            raise FileExistsError(self.location)
        stream: Any = _Upload(self._session, self.location)
        return stream


class _Upload(FileIOBase):
    """A file of the session's folder, which becomes an object when it is closed whole."""

    def __init__(self, session: Session, location: str) -> None:
        bucket, key = bucket_and_key(location)
        if not session.objects.is_allowed("PutObject", bucket, key):
            raise permission_denied(f"Access Denied: cannot write to {location}", is_s3=True)
        self._session = session
        self._target = (bucket, key)
        self._path = session.folder / f"upload-{uuid4().hex}"
        super().__init__(self._path, "wb")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._is_broken = error is not None
        super().__exit__(kind, error, trace)

    def close(self) -> None:
        """Store what was written."""
        if self.closed:
            return
        super().close()
        if not getattr(self, "_is_broken", False):
            objects = self._session.objects
            objects.wait(objects.write(*self._target, self._path, "application/octet-stream"))
            self._session.uploads.append(self._target)
        self._path.unlink(missing_ok=True)


class _Object(InputFile):
    def __init__(self, session: Session, location: str) -> None:
        super().__init__(location)
        self._session = session
        self._record: ObjectRecord | None = None

    def __len__(self) -> int:
        return self.record().size_bytes

    def exists(self) -> bool:
        """Whether it is there."""
        try:
            self.record()
        except QueryError:
            return False
        return True

    def open(self, seekable: bool = True) -> InputStream:
        """Its bytes."""
        record = self.record()
        objects = self._session.objects
        path = objects.store.local_path(record)
        stream: Any
        if path is not None:
            stream = path.open("rb")
        else:
            stream = BytesIO(objects.wait(objects.read(record, 0, record.size_bytes)))
        return stream

    def record(self) -> ObjectRecord:
        """The object itself.

        Raises:
            QueryError: there is none.
        """
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
