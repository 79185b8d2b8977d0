"""The job that prints the blank annotated CRF."""

from collections.abc import Mapping
from typing import Any

from exchange.blank import digest
from exchange.casebook_job import PDF, language, only
from exchange.jobs import Kind, Work
from exchange.printing import crf
from exchange.printing.tongues import Tongue
from trial.access import Act, Actor
from trial.dates import utc_now


def check(by: Actor, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`language`: both, zh or en. Raises Rejected."""
    only(parameters, ("language",))
    return {"language": language(parameters)}


def work(work: Work) -> None:
    """Print it: it reads no data."""
    spoken = work.parameters["language"]
    with work.file(f"annotated-crf-{spoken}.pdf", PDF) as out:
        pages = crf.draw(Tongue(spoken), utc_now(), out, work.progress)
    work.job.result = {"pages": pages, "content_sha256": digest()}


ANNOTATED_CRF = Kind("annotated_crf", "Annotated CRF as PDF", "注释病例报告表 PDF", Act.READ, check, work)
