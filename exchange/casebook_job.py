"""The job that prints a casebook: one subject, a language, with or without the audit trail."""

from collections.abc import Mapping
from typing import Any

from entry.casebook import read
from entry.door import NotFound, Rejected
from entry.places import subject_of as subject_numbered
from exchange.jobs import Kind, Work
from exchange.printing import casebook
from exchange.printing.tongues import LANGUAGES, Tongue
from exchange.writes import subject_of
from trial import audit
from trial.access import Act, Actor
from trial.findings import Problem
from trial.text import T

PDF = "application/pdf"
YES, NO = (True, "1", "true"), (False, "", "0", "false")


def language(parameters: Mapping[str, Any]) -> str:
    """The language asked for: both unless something else is said. Raises Rejected."""
    wanted = parameters.get("language", "both")
    if not isinstance(wanted, str) or wanted not in LANGUAGES:
        raise Rejected([choice("language", wanted, LANGUAGES)])
    return str(wanted)


def choice(name: str, sent: Any, known: Any) -> Problem:
    """A parameter outside its list."""
    listed = ", ".join(known)
    said = T(
        f"“{str(sent)[:40]}” is no {name}; use {listed}.", f"{name} 不能为“{str(sent)[:40]}”;可用:{listed}。"
    )
    return Problem(name, "not_in_list", said, str(sent)[:40], listed)


def only(parameters: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuse a parameter that the kind does not know. Raises Rejected."""
    for name in parameters:
        if name not in known:
            raise Rejected([choice("parameter" if name.isascii() else "参数", name, known)])


def check(by: Actor, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`subject` (number or id), `language` (both, zh, en), `audit` (yes or no). Raises Rejected or NotFound."""
    only(parameters, ("subject", "language", "audit"))
    wanted, audited = parameters.get("subject"), parameters.get("audit", False)
    if not isinstance(wanted, str) or not wanted:
        said = T("Say whose casebook: “subject”: “01-001”.", "请说明受试者:“subject”: “01-001”。")
        raise Rejected([Problem("subject", "required", said, limit="01-001")])
    if not isinstance(audited, str | bool) or audited not in (*YES, *NO):
        raise Rejected([choice("audit", audited, ("true", "false"))])
    spoken = language(parameters)
    return {"subject": subject_of(by, wanted).subjid, "language": spoken, "audit": audited in YES}


def work(work: Work) -> None:
    """Read the subject as the requester may, and print it."""
    told = work.parameters
    with audit.snapshot(work.by):
        subject = subject_numbered(told["subject"])
        if not work.by.at(subject.site_id):
            raise NotFound
        filed = read(subject, audit=told["audit"])
    name = f"casebook-{told['subject']}-{filed.as_of:%Y%m%d-%H%M}Z-{told['language']}{'-audit' if told['audit'] else ''}.pdf"
    with work.file(name, PDF) as out:
        pages = casebook.draw(filed, Tongue(told["language"]), out, work.progress)
    work.job.result = {"pages": pages, "content_sha256": filed.digest, "as_of": filed.as_of.isoformat()}


CASEBOOK = Kind("casebook", "Casebook as PDF", "病例报告 PDF", Act.READ, check, work)
