"""Handing a job's file to who asked for it."""

from urllib.parse import quote
from uuid import UUID

from django.http import FileResponse

from entry.door import NotFound
from exchange import files, jobs
from trial.access import Actor


def file_of(by: Actor, key: UUID) -> FileResponse:
    """The file as a download that nothing keeps a copy of. Raises NotFound."""
    job = jobs.one(by, key)
    path = files.output(job.pk, job.attempts)
    if not job.has_file or not path.exists():
        raise NotFound
    response = FileResponse(path.open("rb"), content_type=job.media_type)
    response["Content-Length"] = str(job.size)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(job.name)}"
    response["Cache-Control"] = "no-store"
    response["Digest"] = f"sha-256={job.sha256}"
    return response
