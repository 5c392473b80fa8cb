"""A crawl from end to end: the handler of its job, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from cloche.core.arns import format_arn
from cloche.core.errors import AWSError
from cloche.core.job_call import JobCall, JobFailed, JobInterrupted
from cloche.core.operations import Server
from cloche.services.glue.classifiers import load_classifier
from cloche.services.glue.crawler_records import Crawler, crawl_id, find_crawler
from cloche.services.glue.crawling.cataloguing import Cataloguer, Changes, Policies
from cloche.services.glue.crawling.configuration import CrawlerConfiguration, read_configuration
from cloche.services.glue.crawling.grouping import FoundTable, GroupingOptions, find_tables
from cloche.services.glue.crawling.reading import TargetReader
from cloche.services.glue.crawling.role_access import RoleAccess, take_role
from cloche.services.glue.crawling.summaries import FolderSummary
from cloche.services.glue.crawling.table_inputs import Crawl, location_of
from cloche.services.glue.crawling.targets import Target, is_in_targets, split_path, targets_of
from cloche.services.glue.errors import AlreadyExistsException, EntityNotFoundException

_log = logging.getLogger(__name__)


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
        self._reader = self._made_reader()
        recrawl = self._settings.get("RecrawlPolicy") or {}
        self._only_new = recrawl.get("RecrawlBehavior") == "CRAWL_NEW_FOLDERS_ONLY"

    def _made_reader(self) -> TargetReader:
        documents, account, region = self._server.documents, self._account, self._region
        classifiers = [
            load_classifier(documents, account, region, name)
            for name in self._settings.get("Classifiers") or []
        ]
        configuration = self._configuration
        return TargetReader(
            documents,
            self._access,
            account,
            region,
            self._crawler.name,
            classifiers,
            self._call.check,
            self._call.log,
            ignores_schemas=(
                configuration.combines_compatible or configuration.table_level is not None
            ),
        )

    def run(self) -> dict[str, Any]:
        catalog_targets = self._settings["Targets"].get("CatalogTargets") or []
        if catalog_targets:
            return self._changed(self._update_tables(catalog_targets))
        self._ensure_database()
        targets = targets_of(self._settings)
        found: list[tuple[Target, list[FolderSummary], list[FoundTable]]] = []
        for target in targets:
            summaries = self._reader.summaries(target, only_new=self._only_new)
            tables = _found(target, summaries, self._configuration.grouping)
            self._call.log(f"{location_of(target.bucket, target.path)}: {len(tables)} tables")
            found.append((target, summaries, tables))
        self._check_threshold(sum(len(tables) for _, _, tables in found))
        placed = [(target, table) for target, _, tables in found for table in tables]
        cataloguer = self._taken(placed)
        cataloguer.drop_vanished(self._crawl(""), lambda place: is_in_targets(targets, place))
        if self._only_new:
            for target, summaries, _ in found:
                self._reader.remember(target, summaries)
        return self._changed(cataloguer.changes)

    def _taken(self, placed: Sequence[tuple[Target, FoundTable]]) -> Cataloguer:
        """What has brought all tables that were found into the catalog.

        Where somebody makes a table at the same time, the catalog is read anew: another crawler's
        of the same place is then changed, and a name that is taken avoided. What is done is done.
        """
        changes = msgspec.convert(self._call.job.checkpoint, Changes)
        for _ in placed:
            cataloguer = self._cataloguer(self._settings["DatabaseName"], changes)
            try:
                self._take(cataloguer, placed)
            except AlreadyExistsException as error:
                self._call.log(f"The catalog has changed meanwhile: {error.message}")
            else:
                return cataloguer
        cataloguer = self._cataloguer(self._settings["DatabaseName"], changes)
        self._take(cataloguer, placed)
        return cataloguer

    def _take(self, cataloguer: Cataloguer, placed: Sequence[tuple[Target, FoundTable]]) -> None:
        for target, table in placed:
            self._call.check()
            cataloguer.take(self._crawl(target.bucket), table)
            self._call.save(self._changed(cataloguer.changes))

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
                tables = _found(target, self._reader.summaries(target), options)
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
            with suppress(AlreadyExistsException):  # somebody was faster
                self._access.invoke("glue", "CreateDatabase", {"DatabaseInput": {"Name": name}})

    def _check_threshold(self, tables: int) -> None:
        threshold = self._configuration.table_threshold
        if threshold is not None and tables > threshold:
            raise JobFailed(
                f"The number of tables detected by crawler: {tables} is greater than the table"
                f" threshold value provided: {threshold}. Failing crawler without writing to Data"
                " Catalog."
            )


def _found(
    target: Target, summaries: Sequence[FolderSummary], options: GroupingOptions
) -> list[FoundTable]:
    """The tables of a target; one whose path is that of an object is over that object."""
    if len(summaries) == 1 and summaries[0].groups[:1]:
        group = summaries[0].groups[0]
        if group.keys == (target.path,):
            return [FoundTable(target.path, group, is_file=True)]
    within = [summary for summary in summaries if summary.path.startswith(target.folder)]
    return find_tables(target.folder, within, options)
