"""Reading a target: its objects, what they are, and what an earlier crawl has found there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import msgspec

from cloche.core.documents import Documents, Transaction
from cloche.engines.sql.inference.classifying import Classifier, infer, infer_like
from cloche.engines.sql.inference.compression import CorruptFile
from cloche.engines.sql.inference.inferred import UNKNOWN_FORMAT, Inferred
from cloche.services.glue.crawler_records import crawled_folders
from cloche.services.glue.crawling.exclusions import compile_exclusions
from cloche.services.glue.crawling.role_access import ListedObject, RoleAccess
from cloche.services.glue.crawling.summaries import FolderSummary, summarize
from cloche.services.glue.crawling.table_inputs import location_of
from cloche.services.glue.crawling.targets import Target
from cloche.services.glue.keys import key_of, prefix_of

_WRITTEN_AT_ONCE = 200
_HIDDEN = ("_", ".")
_FOLDER_MARKER = "_$folder$"


class TargetReader:
    """Reads targets for one crawler.

    Args:
        documents: where what was found is kept.
        access: by which objects are read.
        account: the crawler's.
        region: the crawler's.
        crawler: its name.
        classifiers: tried before those that are built in.
        ignores_schemas: whether files of one format are of one table whatever their columns.
        check: raises when the crawl is to stop; called before each object.
        log: takes lines for the crawl's log.
    """

    def __init__(
        self,
        documents: Documents,
        access: RoleAccess,
        account: str,
        region: str,
        crawler: str,
        classifiers: Sequence[Classifier],
        check: Callable[[], None],
        log: Callable[[str], None],
        *,
        ignores_schemas: bool,
    ) -> None:
        self._documents = documents
        self._access = access
        self._account = account
        self._region = region
        self._crawler = crawler
        self._classifiers = classifiers
        self._check = check
        self._log = log
        self._ignores_schemas = ignores_schemas

    def summaries(self, target: Target, *, only_new: bool = False) -> list[FolderSummary]:
        """What is in the folders of a target that have files.

        Args:
            target: see there.
            only_new: of folders that `remember` was told of, tell what was in them then.

        Raises:
            AWSError: the role may not read.
            JobInterrupted: the crawl was stopped.
        """
        folders: dict[str, list[ListedObject]] = defaultdict(list)
        for listed in self._listed(target):
            folders[listed.key[: listed.key.rfind("/") + 1]].append(listed)
        known = self._known(target) if only_new else {}
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
            self._check()
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
        broken: list[ListedObject] = []
        limit = target.sample_size or len(objects)
        for listed in objects[:limit]:
            self._check()
            try:
                inferred = self._inferred(target.bucket, listed.key)
            except CorruptFile as error:
                self._log(f"{location_of(target.bucket, listed.key)}: {error}")
                broken.append(listed)
                continue
            if inferred is not None:
                files.append((listed.key, listed.size_bytes, inferred))
        files = self._with_single_rows(target.bucket, files)
        files = sorted([*files, *_as_those_beside(files, broken)], key=lambda file: file[0])
        if files and len(objects) > limit:
            files += _unread(files, objects[limit:])
        return summarize(path, files, ignores_schemas=self._ignores_schemas)

    def _inferred(self, bucket: str, key: str) -> Inferred | None:
        file = self._access.open_object(bucket, key)
        return None if file is None else infer(file, self._classifiers)

    def _with_single_rows(
        self, bucket: str, files: list[tuple[str, int, Inferred]]
    ) -> list[tuple[str, int, Inferred]]:
        """Files, of which those of one row are CSV if they can be, as those beside them."""
        known = [inferred for _, _, inferred in files if inferred.classification == "csv"]
        if not known or len(known) == len(files):
            return files
        like = max(known, key=lambda each: "skip.header.line.count" in each.parameters)
        told: list[tuple[str, int, Inferred]] = []
        for key, size, inferred in files:
            found: Inferred | None = None
            if inferred.classification == UNKNOWN_FORMAT:
                self._check()
                file = self._access.open_object(bucket, key)
                found = None if file is None else infer_like(file, like)
            told.append((key, size, found or inferred))
        return told

    def _known(self, target: Target) -> dict[str, FolderSummary]:
        prefix = prefix_of(self._crawler, location_of(target.bucket, target.folder))
        documents = self._documents.iterate(crawled_folders, self._account, self._region, prefix)
        return {each.value.path: each.value for each in documents}

    def remember(self, target: Target, summaries: Sequence[FolderSummary]) -> None:
        """Keep what was in the folders, for crawls of new folders only."""
        place = location_of(target.bucket, target.folder)
        for at in range(0, len(summaries), _WRITTEN_AT_ONCE):
            batch = summaries[at : at + _WRITTEN_AT_ONCE]

            def put(tx: Transaction, batch: Sequence[FolderSummary] = batch) -> None:
                for summary in batch:
                    name = key_of(self._crawler, place, summary.path or "/")
                    tx.put(crawled_folders, self._account, self._region, name, summary)

            self._documents.transact(put)


def _is_hidden(relative: str) -> bool:
    """Whether queries would not read it either, or it only stands for a folder."""
    if relative.endswith(("/", _FOLDER_MARKER)):
        return True
    return any(part.startswith(_HIDDEN) for part in relative.split("/"))


def _as_those_beside(
    files: Sequence[tuple[str, int, Inferred]], broken: Sequence[ListedObject]
) -> list[tuple[str, int, Inferred]]:
    """Files that cannot be read: of the format of the others if that is one, else of none.

    A table is not taken apart for the sake of a broken file; who queries it is told of the file.
    """
    if len({inferred.compatibility for _, _, inferred in files}) == 1:
        like = msgspec.structs.replace(files[0][2], record_count=0)
    else:
        like = Inferred(UNKNOWN_FORMAT)
    return [(each.key, each.size_bytes, like) for each in broken]


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
