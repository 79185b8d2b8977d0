"""The register of files: taking one in, keeping its bytes, and keeping the report of each run."""

import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError

from entry.door import NotFound
from exchange.imported import ImportFile, ImportPart
from exchange.incoming_files.limits import MOST_BYTES
from exchange.incoming_files.options import Options, options_of
from exchange.incoming_files.profiles import act_of, profile_named
from exchange.incoming_files.staging import Outcome, Stage
from exchange.incoming_files.tables import too_large
from exchange.jobs import OtherBody
from exchange.writes import SPACE
from trial import audit
from trial.access import Actor, require
from trial.models import Site

PIECE = 1 << 20
ROWS_A_PIECE = 1000


def safe_name(name: str) -> str:
    """The last part of a file's name, whatever system wrote it, without control characters."""
    last = PureWindowsPath(PurePosixPath(name.replace("\x00", "")).name).name
    return re.sub(r"[^\w.()\- +]", "_", last)[:200].strip(" .") or "file"


def take_in(
    path: Path,
    name: str,
    profile: str,
    options: Options,
    site: Site,
    *,
    by: Actor,
    wish: str = "CHECK",
    key: str = "",
) -> ImportFile:
    """Keep a file with everything that decides how it is read; with a `key` (Idempotency-Key) at most once.

    Raises Forbidden, NotFound, FileRefused, or OtherBody when the key came before with something else.
    """
    require(by, act_of(profile))
    if not by.at(site.pk):
        raise NotFound
    profile_named(profile)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise too_large(size)
    file = ImportFile(
        site=site,
        person_id=by.person_id,
        role=by.role,
        name=safe_name(name),
        size=size,
        sha256=_digest(path),
        profile=profile,
        options=options.document(),
        wish=wish,
    )
    if key:
        file.pk = uuid5(SPACE, f"{by.person_id}:import:{key}")
        with audit.reading(by):
            there = ImportFile.objects.select_related("site", "person").filter(pk=file.pk).first()
        if there is not None:
            if (there.sha256, there.profile, there.options) != (file.sha256, file.profile, file.options):
                raise OtherBody
            return there
    with audit.transaction(by, "file sent"):
        file.save(force_insert=True)
        for number, piece in enumerate(_pieces(path)):
            ImportPart.objects.create(
                file=file, site=site, kind="FILE", number=number, data=zlib.compress(piece)
            )
    return file


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def choose(file: ImportFile, by: Actor, *, policy: str, correct: bool) -> None:
    """Another policy for the next run of a file that is not imported yet."""
    require(by, act_of(file.profile))
    chosen = replace(options_of(file.options), policy="GOOD" if policy == "GOOD" else "ALL", correct=correct)
    if chosen.document() != file.options and file.state != "DONE":
        file.options = chosen.document()
        with audit.transaction(by, "another choice for the import"):
            file.save(force_update=True, update_fields=["options"])


def file_of(by: Actor, key: str | UUID) -> ImportFile:
    """A file of the actor's sites. Raises NotFound."""
    with audit.reading(by):
        try:
            found = ImportFile.objects.select_related("site", "person").filter(pk=key).first()
        except (ValidationError, ValueError, TypeError):
            found = None
    if found is None or not by.at(found.site_id):
        raise NotFound
    return found


def write_back(file: ImportFile, path: Path) -> None:
    """The bytes of the file, piece by piece, into `path`. Runs inside a transaction that may see it."""
    digest = hashlib.sha256()
    numbers = file.parts.filter(kind="FILE").order_by("number").values_list("pk", flat=True)
    with path.open("wb") as out:
        for key in list(numbers):
            piece = zlib.decompress(bytes(ImportPart.objects.values_list("data", flat=True).get(pk=key)))
            digest.update(piece)
            out.write(piece)
    if digest.hexdigest() != file.sha256:
        raise RuntimeError(f"file {file.pk}: its bytes are not what came in")


def keep_report(file: ImportFile, stage: Stage) -> str:
    """Keep the outcomes of a run in pieces of a thousand rows; answers their SHA-256 as JSON lines."""
    digest, number, waiting = hashlib.sha256(), 0, []
    for outcome in stage.outcomes():
        line = json.dumps(outcome, ensure_ascii=False) + "\n"
        digest.update(line.encode())
        waiting.append(line)
        if len(waiting) == ROWS_A_PIECE:
            _keep(file, number, waiting)
            number, waiting = number + 1, []
    if waiting:
        _keep(file, number, waiting)
    return digest.hexdigest()


def _keep(file: ImportFile, number: int, lines: list[str]) -> None:
    data = zlib.compress("".join(lines).encode())
    ImportPart.objects.create(
        file=file, site_id=file.site_id, kind="REPORT", run=file.run, number=number, data=data
    )


def report(by: Actor, file: ImportFile) -> Iterator[Outcome]:
    """The outcome of every row of the newest run, in the order of the file; a piece at a time."""
    number = 0
    while True:
        with audit.reading(by):
            wanted = file.parts.filter(kind="REPORT", run=file.run, number=number)
            data = wanted.values_list("data", flat=True).first()
        if data is None:
            return
        for line in zlib.decompress(bytes(data)).decode().splitlines():
            yield json.loads(line)
        number += 1


REPORT_COLUMNS = (
    *("line", "outcome", "subject", "visit", "form", "record", "queries", "same_as"),
    *("column", "value", "code", "reason_en", "reason_zh", "expected", "fix"),
)


def report_rows(outcomes: Iterator[Outcome]) -> Iterator[dict[str, Any]]:
    """The report as a table: a row per problem, and one for each row of the file without any."""
    for outcome in outcomes:
        start = {name: outcome.get(name, "") for name in REPORT_COLUMNS[:8]}
        for problem in outcome.get("problems", ()) or [{}]:
            yield {
                **start,
                "column": problem.get("column", ""),
                "value": problem.get("value", ""),
                "code": problem.get("code", ""),
                "reason_en": problem.get("en", ""),
                "reason_zh": problem.get("zh", ""),
                "expected": problem.get("limit", ""),
                "fix": problem.get("fix", ""),
            }
