"""The log of calls, in CloudTrail's event format.

The dispatcher calls `AuditLog.record` once for each call; everything else happens elsewhere:
`core.audit_recorder` turns what was recorded into events in a thread of its own and hands them to
an engine, `services.cloudtrail` answers LookupEvents from it and delivers it to buckets.

AWS shows an event in LookupEvents within about 15 minutes and in a bucket within about 5. Here a
call is visible to the next LookupEvents, which flushes first. A call that
changes something is in the log before it is acknowledged; of reads and of data events, those of the
last 0.1 s are lost when the process is killed, as the call is not held up for its record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from cloche.core.errors import AWSError
    from cloche.core.operations import Call

RETENTION_SECONDS = 90 * 24 * 3600
"""How long LookupEvents sees an event, on Cloche's clock."""


class IndexedEvent(NamedTuple):
    """A management event and what it is found by.

    Attributes:
        event: CloudTrail's JSON, without newlines.
        event_id: the 16 bytes of its `eventID`.
        scope: `account/region`, in which alone it is found.
        time: `eventTime`, whole seconds since 1970.
        terms: (LookupEvents attribute, value) pairs, each once.
    """

    event: bytes
    event_id: bytes
    scope: str
    time: int
    terms: Sequence[tuple[str, str]]


Position = tuple[int, int]
"""Where an event stands: its time in seconds and its number in the log, which only grows."""

Found = tuple[int, int, bytes]
"""Time, number and JSON of an event: its position and the event itself."""

Chunk = tuple[int, Sequence[bytes]]
"""Sequence number of a stretch of the log, and the JSON of its events in the order of the calls."""


class EventStore(Protocol):
    """What keeps events; an engine.

    Every method may block. Failures to write are OSError, after which nothing was written.
    """

    @property
    def log_id(self) -> str:
        """Tells this log from those of other servers; lower-case letters and digits."""
        ...

    def append(self, management: Sequence[IndexedEvent], data: Sequence[bytes]) -> None:
        """Keep events, all or none."""
        ...

    def lookup(
        self,
        scope: str,
        term: tuple[str, str] | None,
        start: int,
        end: int,
        before: Position | None,
        limit: int,
    ) -> Sequence[Found]:
        """Management events of a scope with `start <= time <= end`, newest first."""
        ...

    def chunk_after(self, sequence: int, include_data: bool) -> Chunk | None:
        """The next stretch of the log, of management events alone or of data events too."""
        ...

    def last_sequence(self) -> int:
        """Sequence number of the newest chunk; 0 while there is none."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


class AuditLog(Protocol):
    """The log of calls of one server."""

    @property
    def log_id(self) -> str:
        """Tells this log from those of other servers; lower-case letters and digits."""
        ...

    def record(
        self,
        call: Call,
        read_only: bool,
        request: Mapping[str, Any],
        response: Mapping[str, Any] | None,
        error: AWSError | None,
        started_at: float,
    ) -> None:
        """Note a finished call. Never blocks, keeps only references; from the event loop.

        Args:
            call: with what the operation noted in `call.audit`.
            read_only: `is_read_only(call.operation)`.
            request: parsed input; must not be changed afterwards.
            response: output, None where there was an error.
            error: what the client was told.
            started_at: Cloche time at which the request came, which becomes `eventTime`.
        """
        ...

    def flush(self) -> None:
        """Return when all that was recorded before is in the log. Blocks."""
        ...

    def lookup(
        self,
        account_id: str,
        region: str,
        *,
        attribute: tuple[str, str] | None = None,
        start: int | None = None,
        end: int | None = None,
        before: Position | None = None,
        limit: int = 50,
    ) -> Sequence[Found]:
        """Management events of the last 90 days, newest first. Blocks.

        Args:
            account_id: whose calls.
            region: called in.
            attribute: key and value as LookupEvents has them.
            start: seconds since 1970, inclusive.
            end: seconds since 1970, inclusive.
            before: position after which (further back in time) to go on.
            limit: at most so many.
        """
        ...

    def chunk_after(self, sequence: int, *, include_data: bool) -> Chunk | None:
        """The next stretch of the log after a sequence number, for delivery. Blocks."""
        ...

    def last_sequence(self) -> int:
        """Sequence number of the newest chunk of what was flushed. Blocks."""
        ...

    def close(self) -> None:
        """Flush and stop; nothing may be recorded afterwards."""
        ...


READ_ONLY_PREFIXES = (
    "Get", "List", "Describe", "Head", "Lookup", "BatchGet", "Search", "Query", "Scan", "Select",
    "Validate", "Test", "Preview", "Simulate", "Estimate", "Discover", "Filter",
)  # fmt: skip
_READ_ONLY_NAMES = frozenset(
    {
        "AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity",
        "DecodeAuthorizationMessage", "GenerateCredentialReport",
    }
)  # fmt: skip


def is_read_only(operation: str) -> bool:
    """Whether CloudTrail calls an operation read-only, told by its name.

    >>> is_read_only("ListBuckets"), is_read_only("CreateBucket"), is_read_only("AssumeRole")
    (True, False, True)
    """
    return operation.startswith(READ_ONLY_PREFIXES) or operation in _READ_ONLY_NAMES


_S3_DATA_EVENTS = frozenset(
    {
        "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload",
        "DeleteObject", "DeleteObjects", "DeleteObjectTagging", "GetObject", "GetObjectAcl",
        "GetObjectAttributes", "GetObjectLegalHold", "GetObjectRetention", "GetObjectTagging",
        "GetObjectTorrent", "HeadBucket", "HeadObject", "ListMultipartUploads", "ListObjects",
        "ListObjectsV2", "ListObjectVersions", "ListParts", "PostObject", "PutObject",
        "PutObjectAcl", "PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging",
        "RestoreObject", "SelectObjectContent", "UploadPart", "UploadPartCopy",
    }
)  # fmt: skip

DATA_EVENTS: dict[str, frozenset[str]] = {
    "s3": _S3_DATA_EVENTS,
    "kinesis": frozenset(
        {"GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "SubscribeToShard"}
    ),
    "logs": frozenset(
        {"FilterLogEvents", "GetLogEvents", "GetLogObject", "GetLogRecord", "PutLogEvents"}
    ),
    "lambda": frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"}),
    "firehose": frozenset({"PutRecord", "PutRecordBatch"}),
    "sqs": frozenset(
        {
            "SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage",
            "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch",
        }
    ),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "cloudwatch": frozenset(
        {
            "GetMetricData", "GetMetricStatistics", "GetMetricWidgetImage", "ListMetrics",
            "PutMetricData",
        }
    ),
    "sagemaker-runtime": frozenset(
        {"InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream"}
    ),
    "sagemaker-featurestore-runtime": frozenset(
        {"BatchGetRecord", "DeleteRecord", "GetRecord", "PutRecord"}
    ),
    "sagemaker-metrics": frozenset({"BatchGetMetrics", "BatchPutMetrics"}),
    "dynamodb": frozenset(
        {
            "BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "DeleteItem",
            "ExecuteStatement", "ExecuteTransaction", "GetItem", "PutItem", "Query", "Scan",
            "TransactGetItems", "TransactWriteItems", "UpdateItem",
        }
    ),
}  # fmt: skip
"""Operations on the data in a resource, by service as boto3 names it; all others are management."""


def is_data_event(service: str, operation: str) -> bool:
    """Whether CloudTrail calls an operation a data event, which LookupEvents does not show.

    >>> is_data_event("s3", "GetObject"), is_data_event("s3", "CreateBucket")
    (True, False)
    """
    operations = DATA_EVENTS.get(service)
    return operations is not None and operation in operations
