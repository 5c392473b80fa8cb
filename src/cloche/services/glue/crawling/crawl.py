"""A crawl from end to end: the handler of its job, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from cloche.core.arns import format_arn
from cloche.core.documents import Transaction
from cloche.core.errors import AWSError
from cloche.core.job_call import JobCall, JobFailed, JobInterrupted
from cloche.core.operations import Server
from cloche.engines.sql.inference.classifying import Classifier, infer
from cloche.engines.sql.inference.compression import CorruptFile
from cloche.engines.sql.inference.inferred import UNKNOWN_FORMAT, Inferred
from cloche.services.glue.classifiers import load_classifier
from cloche.services.glue.crawler_records import (
    Crawler,
    crawl_id,
    crawled_folders,
    find_crawler,
)
from cloche.services.glue.crawling.cataloguing import Cataloguer, Changes, Policies
from cloche.services.glue.crawling.configuration import CrawlerConfiguration, read_configuration
from cloche.services.glue.crawling.exclusions import compile_exclusions
from cloche.services.glue.crawling.grouping import FoundTable, GroupingOptions, find_tables
from cloche.services.glue.crawling.role_access import ListedObject, RoleAccess, take_role
from cloche.services.glue.crawling.summaries import FolderSummary, summarize
from cloche.services.glue.crawling.table_inputs import Crawl, location_of
from cloche.services.glue.errors import EntityNotFoundException
from cloche.services.glue.keys import key_of, prefix_of

_log = logging.getLogger(__name__)

_WRITTEN_AT_ONCE = 200
_HIDDEN = ("_", ".")
_FOLDER_MARKER = "_$folder$"


class Target(NamedTuple):
    """An S3 target.

    Attributes:
        path: in the bucket, without a slash at its end; empty for all of the bucket.
        sample_size: how many files of each folder are read; None for all.
    """

    bucket: str
    path: str
    exclusions: tuple[str, ...] = ()
    sample_size: int | None = None

    @property
    def folder(self) -> str:
        """The path as a prefix of what is in it."""
        return f"{self.path}/" if self.path else ""


def targets_of(settings: dict[str, Any]) -> list[Target]:
    """A crawler's targets."""
    return [
        Target(
            *split_path(given["Path"]),
            tuple(given.get("Exclusions") or ()),
            given.get("SampleSize"),
        )
        for given in settings["Targets"].get("S3Targets") or []
    ]


def split_path(path: str) -> tuple[str, str]:
    """Bucket and path of `s3://…`; an empty bucket if it is none."""
    if not path.startswith(("s3://", "s3a://", "s3n://")):
        return "", ""
    bucket, _, rest = path.partition("://")[2].partition("/")
    return bucket, rest.rstrip("/")


def run_crawl(server: Server, loop: asyncio.AbstractEventLoop, call: JobCall) -> dict[str, Any]:
    """Crawl a crawler's targets; what is told is what was changed.

    Raises:
        JobFailed: with the reason that the user is told.
        JobInterrupted: it was stopped.
    """
    job = call.job
    try:
        crawler = find_crawler(server.documents, job.account, job.region, job.payload["crawler"])
        return _Crawling(server, loop, call, crawler).run()
    except AWSError as error:
        call.log(f"{error.code}: {error.message}")
        raise JobFailed(_told(error)) from error
    except (JobFailed, JobInterrupted):
        raise
    except Exception as error:
        _log.exception("crawl %s failed", job.id)
        raise JobFailed(f"Internal Service Exception: {error}") from error


def _told(error: AWSError) -> str:
    message = error.message or error.code
    return message if error.code in message else f"{error.code}: {message}"


class _Crawling:
    def __init__(
        self, server: Server, loop: asyncio.AbstractEventLoop, call: JobCall, crawler: Crawler
    ) -> None:
        self._server = server
        self._call = call
        self._crawler = crawler
        self._settings = crawler.settings
        job = call.job
        self._account, self._region = job.account, job.region
        configuration: CrawlerConfiguration = read_configuration(
            self._settings.get("Configuration")
        )
        if self._settings["Targets"].get("CatalogTargets"):
            configuration = msgspec.structs.replace(configuration, combines_compatible=True)
        self._configuration = configuration
        arn = format_arn("glue", job.region, job.account, f"crawler/{crawler.name}")
        self._access: RoleAccess = take_role(server, loop, self._settings["Role"], job.region, arn)
        self._classifiers: Sequence[Classifier] = [
            load_classifier(server.documents, job.account, job.region, name)
            for name in self._settings.get("Classifiers") or []
        ]
        recrawl = self._settings.get("RecrawlPolicy") or {}
        self._only_new = recrawl.get("RecrawlBehavior") == "CRAWL_NEW_FOLDERS_ONLY"

    def run(self) -> dict[str, Any]:
        catalog_targets = self._settings["Targets"].get("CatalogTargets") or []
        if catalog_targets:
            return self._changed(self._update_tables(catalog_targets))
        self._ensure_database()
        targets = targets_of(self._settings)
        found: list[tuple[Target, list[FolderSummary], list[FoundTable]]] = []
        for target in targets:
            summaries = self._summaries(target)
            tables = _found(target, summaries, self._configuration.grouping)
            self._call.log(f"{location_of(target.bucket, target.path)}: {len(tables)} tables")
            found.append((target, summaries, tables))
        self._check_threshold(sum(len(tables) for _, _, tables in found))
        cataloguer = self._cataloguer(self._settings["DatabaseName"])
        for target, _, tables in found:
            for table in tables:
                self._call.check()
                cataloguer.take(self._crawl(target.bucket), table)
                self._call.save(self._changed(cataloguer.changes))
        cataloguer.drop_vanished(self._crawl(""), lambda place: _is_of(targets, place))
        for target, summaries, _ in found:
            self._remember(target, summaries)
        return self._changed(cataloguer.changes)

    def _changed(self, changes: Changes) -> dict[str, Any]:
        return msgspec.to_builtins(changes)

    def _update_tables(self, catalog_targets: Sequence[Mapping[str, Any]]) -> Changes:
        """Bring tables that are there already to what is at their locations now."""
        changes = msgspec.convert(self._call.job.checkpoint, Changes)
        for given in catalog_targets:
            cataloguer = self._cataloguer(given["DatabaseName"], changes)
            for name in given["Tables"]:
                target = self._target_of(given["DatabaseName"], name)
                options = GroupingOptions(True, target.folder.count("/") + 1)
                tables = _found(target, self._summaries(target), options)
                wanted = [table for table in tables if table.path.rstrip("/") == target.path]
                if len(tables) != 1 or not wanted:
                    place = location_of(target.bucket, target.path)
                    self._call.log(f"{name}: there are {len(tables)} tables at {place}, not one.")
                    continue
                self._call.check()
                cataloguer.take(self._crawl(target.bucket), wanted[0], name=name.lower())
                self._call.save(self._changed(changes))
        return changes

    def _target_of(self, database: str, name: str) -> Target:
        request = {"DatabaseName": database, "Name": name}
        table = self._access.invoke("glue", "GetTable", request)["Table"]
        location = (table.get("StorageDescriptor") or {}).get("Location") or ""
        target = Target(*split_path(location))
        if not target.bucket:
            raise JobFailed(f"Table {name} of database {database} is not in S3: {location}")
        return target

    def _crawl(self, bucket: str) -> Crawl:
        started = datetime.fromtimestamp(self._call.job.created_at, UTC)
        return Crawl(self._crawler.name, crawl_id(self._call.job), started, bucket)

    def _cataloguer(self, database: str, changes: Changes | None = None) -> Cataloguer:
        policy = self._settings.get("SchemaChangePolicy") or {}
        policies = Policies(
            updates=policy.get("UpdateBehavior", "UPDATE_IN_DATABASE") == "UPDATE_IN_DATABASE",
            on_delete=policy.get("DeleteBehavior", "DEPRECATE_IN_DATABASE"),
            prefix=self._settings.get("TablePrefix") or "",
            configuration=self._configuration,
        )
        return Cataloguer(
            self._server.documents,
            self._access,
            self._account,
            self._region,
            database,
            policies,
            self._call.check,
            self._call.log,
            changes=changes or msgspec.convert(self._call.job.checkpoint, Changes),
        )

    def _ensure_database(self) -> None:
        name = self._settings["DatabaseName"]
        try:
            self._access.invoke("glue", "GetDatabase", {"Name": name})
        except EntityNotFoundException:
            self._access.invoke("glue", "CreateDatabase", {"DatabaseInput": {"Name": name}})

    def _check_threshold(self, tables: int) -> None:
        threshold = self._configuration.table_threshold
        if threshold is not None and tables > threshold:
            raise JobFailed(
                f"The number of tables detected by crawler: {tables} is greater than the table"
                f" threshold value provided: {threshold}. Failing crawler without writing to Data"
                " Catalog."
            )

    def _summaries(self, target: Target) -> list[FolderSummary]:
        """What is in the folders of a target that have files."""
        folders: dict[str, list[ListedObject]] = defaultdict(list)
        for listed in self._listed(target):
            folders[listed.key[: listed.key.rfind("/") + 1]].append(listed)
        known = self._known(target) if self._only_new else {}
        summaries: list[FolderSummary] = []
        for path, objects in sorted(folders.items()):
            summary = known.get(path)
            if summary is None:
                summary = self._summarized(target, path, objects)
            summaries.append(summary)
        return summaries

    def _listed(self, target: Target) -> Iterator[ListedObject]:
        """Objects of a target with something in them, but for hidden and excluded ones."""
        is_excluded = compile_exclusions(target.exclusions)
        for listed in self._access.list_objects(target.bucket, target.path):
            self._call.check()
            if listed.key == target.path:
                relative = listed.key.rpartition("/")[2]
            elif listed.key.startswith(target.folder):
                relative = listed.key[len(target.folder) :]
            else:
                continue  # of a folder whose name only begins like the target's
            if listed.size_bytes and not _is_hidden(relative) and not is_excluded(relative):
                yield listed

    def _summarized(
        self, target: Target, path: str, objects: Sequence[ListedObject]
    ) -> FolderSummary:
        files: list[tuple[str, int, Inferred]] = []
        limit = target.sample_size or len(objects)
        for listed in objects[:limit]:
            self._call.check()
            inferred = self._inferred(target.bucket, listed.key)
            if inferred is not None:
                files.append((listed.key, listed.size_bytes, inferred))
        if files and len(objects) > limit:
            files += _unread(files, objects[limit:])
        ignores_schemas = (
            self._configuration.combines_compatible or self._configuration.table_level is not None
        )
        return summarize(path, files, ignores_schemas=ignores_schemas)

    def _inferred(self, bucket: str, key: str) -> Inferred | None:
        file = self._access.open_object(bucket, key)
        if file is None:
            return None
        try:
            return infer(file, self._classifiers)
        except CorruptFile as error:
            self._call.log(f"{location_of(bucket, key)}: {error}")
            return Inferred(UNKNOWN_FORMAT)

    def _known(self, target: Target) -> dict[str, FolderSummary]:
        prefix = prefix_of(self._crawler.name, location_of(target.bucket, target.folder))
        documents = self._server.documents.iterate(
            crawled_folders, self._account, self._region, prefix
        )
        return {each.value.path: each.value for each in documents}

    def _remember(self, target: Target, summaries: Sequence[FolderSummary]) -> None:
        """Keep what was in the folders, for crawls of new folders only."""
        if not self._only_new:
            return
        place = location_of(target.bucket, target.folder)
        for at in range(0, len(summaries), _WRITTEN_AT_ONCE):
            batch = summaries[at : at + _WRITTEN_AT_ONCE]

            def put(tx: Transaction, batch: Sequence[FolderSummary] = batch) -> None:
                for summary in batch:
                    name = key_of(self._crawler.name, place, summary.path or "/")
                    tx.put(crawled_folders, self._account, self._region, name, summary)

            self._server.documents.transact(put)


def _is_hidden(relative: str) -> bool:
    """Whether queries would not read it either, or it only stands for a folder."""
    if relative.endswith(("/", _FOLDER_MARKER)):
        return True
    return any(part.startswith(_HIDDEN) for part in relative.split("/"))


def _unread(
    files: Sequence[tuple[str, int, Inferred]], objects: Sequence[ListedObject]
) -> list[tuple[str, int, Inferred]]:
    """Files that were not read, taken to be as those that were."""
    size = sum(size for _, size, _ in files)
    records = sum(inferred.record_count for _, _, inferred in files)
    like = files[0][2]
    return [
        (
            each.key,
            each.size_bytes,
            msgspec.structs.replace(
                like, record_count=round(records * each.size_bytes / size) if size else 0
            ),
        )
        for each in objects
    ]


def _found(
    target: Target, summaries: Sequence[FolderSummary], options: GroupingOptions
) -> list[FoundTable]:
    """The tables of a target; one whose path is that of an object is over that object."""
    if len(summaries) == 1 and summaries[0].groups[:1]:
        group = summaries[0].groups[0]
        if group.keys == (target.path,):
            return [FoundTable(target.path, group, is_file=True)]
    return find_tables(target.folder, summaries, options)


def _is_of(targets: Sequence[Target], location: str) -> bool:
    """Whether a place is in one of the targets."""
    return any(
        f"{location}/".startswith(location_of(target.bucket, target.folder)) for target in targets
    )
