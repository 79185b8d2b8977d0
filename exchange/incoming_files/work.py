"""A file is checked or entered as the person who asks, all in one audited transaction; a large one as a job.

The job mechanism (exchange.jobs) holds the lease, the progress and the sender's role and sites; a worker that dies
leaves the file as it was, and the next one starts anew.
"""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from exchange import jobs
from exchange.imported import ImportFile
from exchange.incoming_files import limits
from exchange.incoming_files.options import options_of
from exchange.incoming_files.profiles import act_of, profile_named
from exchange.incoming_files.refusals import FileRefused
from exchange.incoming_files.register import file_of, keep_report, write_back
from exchange.incoming_files.run import Came, Say, run
from exchange.incoming_files.staging import Stage
from exchange.job import Job
from safety.doorbell import ring
from trial import audit
from trial.access import Act, Actor, require


def reason_of(file: ImportFile) -> str:
    """Why every record of the file changes: the file."""
    return f"import {file.name} sha256 {file.sha256}"


def work(
    key: UUID,
    by: Actor,
    wish: str,
    *,
    inside: "Callable[[str], AbstractContextManager[None]] | None" = None,
    say: Say | None = None,
) -> ImportFile:
    """Check or enter a file as `by`, in one audited transaction. `inside(reason)` opens it, where a job has its own.

    Raises Forbidden or NotFound; a file that cannot be read ends as FAILED, with the reason kept.
    """
    file = file_of(by, key)
    require(by, act_of(file.profile))
    with (inside or (lambda reason: audit.transaction(by, reason)))(reason_of(file)):
        file = ImportFile.objects.select_for_update(of=("self",)).select_related("site").get(pk=key)
        if file.state != "DONE":
            file.wish = wish
            _work(file, by, say or (lambda word, done, total: None))
    if file.state == "DONE":
        ring()
    return file


def _work(file: ImportFile, by: Actor, say: Say) -> None:
    stage, file.run = Stage(), file.run + 1
    try:
        with tempfile.TemporaryDirectory(prefix="edc-import-") as folder:
            path = Path(folder) / "file"
            write_back(file, path)
            came = _tried(file, path, by, stage, say)
        if came is not None:
            _end(file, came, stage)
        file.save(force_update=True)
    finally:
        stage.close()


def _tried(file: ImportFile, path: Path, by: Actor, stage: Stage, say: Say) -> Came | None:
    try:
        with transaction.atomic():
            return run(
                path,
                profile_named(file.profile),
                options_of(file.options),
                file.site,
                by,
                reason=reason_of(file),
                commit=file.wish == "COMMIT",
                stage=stage,
                say=say,
            )
    except FileRefused as refused:
        file.state, file.failure, file.counts, file.rows = "FAILED", refused.document(), {}, 0
    return None


def _end(file: ImportFile, came: Came, stage: Stage) -> None:
    file.rows, file.notes, file.failure = came.rows, came.notes, {}
    file.counts = {**came.counts, "queries": came.queries, "codes": dict(came.codes)}
    file.state = "DONE" if came.entered else "REFUSED" if file.wish == "COMMIT" else "CHECKED"
    file.report_sha256 = keep_report(file, stage)


def start(file: ImportFile, by: Actor, wish: str, key: str = "") -> Job | None:
    """Do a small file at once; ask the workers for a large one and answer the job. Raises Forbidden, NotFound, OtherBody."""
    if file.size <= limits.AT_ONCE_BYTES:
        work(file.pk, by, wish)
        return None
    return jobs.ask(IMPORT, by, {"file": str(file.pk), "wish": wish}, key=key)


def _checked(by: Actor, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an import job: the file, and CHECK or COMMIT. Which right it needs depends on the file."""
    file = file_of(by, str(parameters.get("file", "")))
    require(by, act_of(file.profile))
    wish = "COMMIT" if parameters.get("wish") == "COMMIT" else "CHECK"
    return {"file": str(file.pk), "wish": wish, "run": file.run}


def _job(one: jobs.Work) -> None:
    """The work of an import job: everything commits together with the end of the job."""

    def say(word: str, done: int, total: int) -> None:
        one.progress(done, total)

    parameters = one.parameters
    work(UUID(parameters["file"]), one.by, parameters["wish"], inside=one.transaction, say=say)


IMPORT = jobs.Kind("import", "Import of a file", "导入文件", Act.READ, _checked, _job)


def job_of(file: ImportFile, by: Actor) -> Job | None:
    """The newest job for this file that the actor asked for."""
    found: Job | None = (
        jobs.of(by).filter(kind="import", parameters__file=str(file.pk)).order_by("-created_at").first()
    )
    return found
