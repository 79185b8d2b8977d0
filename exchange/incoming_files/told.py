"""A file of the register as the API and the page tell it."""

from typing import Any

from exchange.imported import ImportFile
from exchange.incoming_files.work import job_of
from trial.access import Actor


def told(file: ImportFile, by: Actor) -> dict[str, Any]:
    """Everything that is known of a file, with its job while one is under way. `by` asks."""
    job = job_of(file, by)
    counts = dict(file.counts)
    codes, queries = counts.pop("codes", {}), counts.pop("queries", 0)
    address = f"/api/v1/imports/{file.pk}/"
    return {
        "id": str(file.pk),
        "name": file.name,
        "site": file.site.code,
        "sha256": file.sha256,
        "size": file.size,
        "profile": file.profile,
        "options": file.options,
        "person": file.person.full_name,
        "role": file.role,
        "asked": "commit" if file.wish == "COMMIT" else "dry run",
        "state": file.state,
        "busy": job is not None and not job.over,
        "job": f"/api/v1/jobs/{job.pk}/" if job is not None else None,
        "progress": {"done": job.done, "total": job.total} if job is not None and not job.over else None,
        "problem": job.problem or None if job is not None else None,
        "rows": file.rows,
        "counts": counts,
        "refusals": codes,
        "queries": queries,
        "notes": file.notes,
        "failure": file.failure or None,
        "report": f"{address}report/" if file.rows else None,
        "report_sha256": file.report_sha256 or None,
        "changed_at": file.changed_at.isoformat() if file.changed_at else None,
    }
