"""DV-03 and DV-04: nothing before consent, and consent on an approved form."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from safety.casebook import Casebook
from safety.forms import FORM
from subjects.models import InformedConsent
from trial.dates import span_of
from trial.item import Basis
from trial.protocol import PROTOCOLS, Protocol
from trial.rules import Fact, Finding, Severity, rule
from trial.text import both

PROCEDURES = tuple(
    FORM[name]
    for name in dict.fromkeys(name for one in PROTOCOLS.values() for name in one.consent_first_forms.value)
)
"""The forms of every procedure that some version of the protocol lets follow consent alone."""


@rule(
    "DV-03",
    en="Study procedure before consent",
    zh="签署知情同意前进行研究操作",
    cites="GCP; registry I-05: informed consent is signed by the subject",
    basis=Basis.GUIDELINE,
    severity=Severity.IMPORTANT,
    category="CONSENT",
    reads=(InformedConsent, *PROCEDURES),
)
def no_procedure_before_consent(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """No study procedure lies before the day of the first initial consent; a procedure without any consent is one."""
    consent = book.consent_day
    for form in (one for one in PROCEDURES if one.form in protocol.consent_first_forms.value):
        rows: Sequence[Any] = book.of(form)
        for row in rows:
            when = span_of(getattr(row, form.dated_by), book.zone)
            if when is not None and (consent is None or when.last < consent):
                yield _before(book, form, row, when.first, consent)


def _before(book: Casebook, form: Any, row: Any, day: date, consent: date | None) -> Finding:
    facts = [Fact(form.form, row.pk, form.dated_by, str(getattr(row, form.dated_by)))]
    if book.initial_consent is not None:
        facts.append(
            Fact(
                "informed_consent",
                book.initial_consent.pk,
                "consent_dt",
                book.initial_consent.consent_dt.isoformat(),
            )
        )
    name = both(form._meta.verbose_name)
    late, limit = (
        ((f", before the consent of {consent}.", f",早于知情同意日期 {consent}。"), (f"≥ {consent}", ""))
        if consent
        else (
            (", but no initial consent is recorded.", ",但无首次知情同意记录。"),
            ("consent first", "须先知情同意"),
        )
    )
    return Finding(
        key=f"{form.form}:{row.pk}",
        en=f"{name['en']} on {day}{late[0]}",
        zh=f"{name['zh']}于 {day} 进行{late[1]}",
        form=form.form,
        record=row.pk,
        field=form.dated_by,
        facts=tuple(facts),
        limit=limit[0],
        limit_zh=limit[1],
    )


@rule(
    "DV-04",
    en="Consent before activation, or on a form not approved",
    zh="在中心启动前或使用未批准版本签署知情同意",
    cites="GCP; registry I-05",
    basis=Basis.GUIDELINE,
    severity=Severity.IMPORTANT,
    category="CONSENT",
    reads=(InformedConsent,),
)
def consent_form_is_approved(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """A consent is signed on or after the site's activation, on a version of the form that the ethics committee had
    approved for the site and that was current on the day of signing."""
    for consent in book.of(InformedConsent):
        day = book.day(consent.consent_dt)
        if day is None or consent.consent_type not in ("INITIAL", "RECONSENT"):
            continue
        active = book.site.activation_date
        if active is not None and day < active:
            yield _consent_finding(
                consent,
                "activation",
                f"Consent on {day}, before the site was activated on {active}.",
                f"知情同意日期 {day} 早于中心启动日期 {active}。",
                f"≥ {active}",
            )
        if not _current(book, consent, day):
            yield _consent_finding(
                consent,
                "version",
                f"Consent on {day} on version “{consent.icf_version}”, which was not approved and current at the site that day.",
                f"{day} 使用的知情同意书版本“{consent.icf_version}”当日在本中心未获批准或已失效。",
                ", ".join(v.label for v in book.site.icf_versions),
            )


def _current(book: Casebook, consent: Any, day: date) -> bool:
    return any(
        v.label == consent.icf_version
        and v.irb_approval_date <= day
        and (v.valid_to is None or day <= v.valid_to)
        for v in book.site.icf_versions
    )


def _consent_finding(consent: Any, what: str, en: str, zh: str, limit: str) -> Finding:
    return Finding(
        key=f"{what}:{consent.pk}",
        en=en,
        zh=zh,
        form="informed_consent",
        record=consent.pk,
        field="icf_version" if what == "version" else "consent_dt",
        facts=(
            Fact("informed_consent", consent.pk, "consent_dt", consent.consent_dt.isoformat()),
            Fact("informed_consent", consent.pk, "icf_version", consent.icf_version),
        ),
        limit=limit,
    )
