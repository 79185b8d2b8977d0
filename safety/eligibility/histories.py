"""Facts from the histories: the leukaemia, transplants, prior therapy, other illnesses, medication.

A log answers "no" only when it is closed: it has rows and all are complete, or it is marked "not applicable" because
there is nothing to record. What a draft admits already counts against the subject.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from safety.casebook import Casebook
from safety.eligibility.intervals import Day, within_before
from subjects.crf import CRF
from subjects.history import BINDS
from subjects.models import DiseaseHistory, MedicalHistory, PriorTherapy, PriorTransplant
from trial.dates import Span, span_of
from trial.item import items
from trial.logic import Verdict
from trial.protocol import Protocol
from visits.models import ConMeds

_WORST = (Verdict.MET, Verdict.UNKNOWN, Verdict.NOT_MET)


def closed(book: Casebook, form: type[CRF], rows: Sequence[Any] | None = None) -> bool:
    """Whether a log can be trusted to be whole. `rows` narrows it to those that matter."""
    every = book.every(form)
    if any(row.not_done for row in every):
        return all(row.not_done and row.not_done_reason == "NOT_APPLICABLE" for row in every)
    return bool(every) and all(row.status == "COMPLETE" for row in (every if rows is None else rows))


def found(is_found: bool, whole: bool) -> str | None:
    """YES if found; NO only if the log is whole."""
    return "YES" if is_found else "NO" if whole else None


def said(answers: Iterable[str]) -> str | None:
    """YES if any answer is, NO if all are, else not known."""
    given = list(answers)
    if "YES" in given:
        return "YES"
    return "NO" if given and set(given) == {"NO"} else None


def leukaemia(book: Casebook) -> dict[str, Any]:
    """The disease, from its completed history."""
    row = next((one for one in book.of(DiseaseHistory) if one.status == "COMPLETE"), None)
    if row is None:
        return {}
    sites = row.extramedullary_sites or []
    cns = {"CNS1": "NO", "CNS2": "YES", "CNS3": "YES"}.get(row.cns_status)
    return {
        "relapse_after_first_remission": row.relapse_after_first_remission or None,
        "refractory_primary": row.primary_refractory or None,
        "induction_cycles": row.induction_cycles,
        "ph_positive": {"POSITIVE": "YES", "NEGATIVE": "NO"}.get(row.ph_status),
        "number_of_relapses": row.number_of_relapses,
        "relapse_type": row.relapse_type or None,
        "cns_leukaemia": "YES" if "CNS" in sites else cns,
        "prior_allo_sct": row.prior_allo_sct or None,
    }


def transplants(book: Casebook, history_says: str | None) -> dict[str, Any]:
    """Allogeneic transplants. A row of unknown type may be one, so it leaves the answer open, and the day of the latest."""
    rows = book.of(PriorTransplant)
    allo = [row for row in rows if row.sct_type == "ALLO"]
    untyped = [row for row in rows if not row.sct_type]
    if allo:
        return {
            "prior_allo_sct": "YES",
            "last_allo_sct_date": _latest_of(book, allo, untyped),
            "bm_relapse_after_sct": said(row.bm_relapse_after_sct for row in allo),
            "gvhd_active": said(row.gvhd_active_at_consent for row in allo),
        }
    return {"prior_allo_sct": None if untyped and history_says == "NO" else history_says}


def _latest_of(book: Casebook, sure: Iterable[Any], perhaps: Iterable[Any]) -> Span | None:
    """The days of the latest transplant: at least that of those that count, at most that of those that might as well."""
    known = [span_of(row.sct_date, book.zone) for row in sure]
    least, most = _latest(known), _latest([*known, *(span_of(row.sct_date, book.zone) for row in perhaps)])
    return None if least is None or most is None else Span(least.first, most.last)


def _latest(spans: list[Span | None]) -> Span | None:
    """The days the latest of them could be; None when one of them could be any day."""
    known = [one for one in spans if one is not None]
    if not known or len(known) < len(spans):
        return None
    return Span(max(one.first for one in known), max(one.last for one in known))


def therapies(book: Casebook, icf: date | None, protocol: Protocol) -> dict[str, Any]:
    """Targets, tyrosine kinase inhibitors and investigational products among the prior therapies."""
    rows = book.of(PriorTherapy)
    whole = closed(book, PriorTherapy)
    tki = [row for row in rows if row.category == "TKI"]
    tki_whole = whole and all(row.tki_outcome for row in tki)
    failed = {row.line_no for row in tki if row.tki_outcome == "FAILED"}
    lines = len(failed)
    enough = lines >= protocol.tki_lines_failed_min.value
    imp = [row for row in rows if row.investigational or row.category == "IMP"]
    imp_whole = whole and all(row.investigational is not None for row in rows)
    washout = {"months": protocol.imp_washout_months.value}
    return {
        "prior_antigens": tuple(sorted({one for row in rows for one in _antigens(row)})),
        "prior_therapy_complete": whole and not any(_targets_open(row) for row in rows),
        "tki_intolerant": found(any(row.tki_outcome == "INTOLERANT" for row in tki), tki_whole),
        "tki_contraindicated": found(any(row.tki_outcome == "CONTRAINDICATED" for row in tki), tki_whole),
        "tki_lines_failed": lines if tki_whole or enough else None,
        **_exposed("imp_ever", "imp_last_dose", _courses(book, imp, icf), imp_whole, icf, washout),
    }


def _antigens(row: Any) -> set[str]:
    """The targets of a therapy: those entered, and those that its category leaves no doubt of."""
    return {*(row.target_antigens or ()), *BINDS.get(row.category, ())}


def _targets_open(row: Any) -> bool:
    """Whether a row that asks for target antigens has none."""
    return items(PriorTherapy)["target_antigens"].asked(row) and not _antigens(row)


def _courses(book: Casebook, rows: Iterable[Any], icf: date | None) -> list[Span | None]:
    return _last_days(((row.start_date, row.end_date, row.ongoing) for row in rows), icf, book.zone)


def medication(
    book: Casebook, icf: date | None, screening: date | None, protocol: Protocol
) -> dict[str, Any]:
    """Immunosuppressants up to consent, live vaccines up to screening."""
    rows = book.of(ConMeds)
    steroids = [row for row in rows if row.drug_class in protocol.immunosuppressants.value]
    counted = [row for row in steroids if row.route not in protocol.steroid_exemptions.value]
    vaccines = [row for row in rows if row.drug_class == "LIVE_VACCINE"]
    last = _last_days(((row.start_dt, row.end_dt, row.ongoing) for row in counted), icf, book.zone)
    given = [span_of(row.start_dt, book.zone) for row in vaccines]
    before_consent = closed(book, ConMeds, _begun(rows, icf, book.zone))
    before_screening = closed(book, ConMeds, _begun(rows, screening, book.zone))
    washout = {"days": protocol.steroid_washout_days.value}
    weeks = {"days": protocol.live_vaccine_days.value}
    return {
        **_exposed("any_immunosuppressant", "steroid_last_dose", last, before_consent, icf, washout),
        **_exposed("live_vaccine", "live_vaccine_date", given, before_screening, screening, weeks),
    }


def _begun(rows: Iterable[Any], anchor: date | None, zone: str) -> list[Any]:
    """Rows that could have begun by the anchor, or whose start or class is not known."""
    kept = []
    for row in rows:
        start = span_of(row.start_dt, zone)
        if anchor is None or start is None or start.first <= anchor or not row.drug_class:
            kept.append(row)
    return kept


def _last_days(
    courses: Iterable[tuple[Any, Any, bool | None]], anchor: date | None, zone: str
) -> list[Span | None]:
    """The last day of each course up to the anchor; courses that began later are left out."""
    if anchor is None:
        return [None for _ in courses]
    found_: list[Span | None] = []
    for start, end, ongoing in courses:
        begun = span_of(start, zone)
        if begun is not None and begun.first > anchor:
            continue
        found_.append(_last_day(begun, Span(anchor, anchor) if ongoing else span_of(end, zone), anchor))
    return found_


def _last_day(begun: Span | None, ended: Span | None, anchor: date) -> Span | None:
    """The days the last exposure up to the anchor could be. A course that may have begun after it stays open."""
    if begun is None:
        return None if ended is None or ended.last >= anchor else ended
    first = begun.first if ended is None else min(ended.first, anchor)
    last = anchor if ended is None else min(ended.last, anchor)
    return Span(first, last if begun.last <= anchor else anchor + timedelta(days=1))


def _exposed(
    ever: str, last: str, days: list[Span | None], whole: bool, anchor: date | None, window: dict[str, int]
) -> dict[str, Any]:
    """Whether there was any exposure, and the day among several that weighs most against the subject."""
    if not days:
        return {ever: found(False, whole), last: None}
    verdicts = [within_before(day, anchor, **window) for day in days]
    worst = min(range(len(days)), key=lambda at: _WORST.index(verdicts[at]))
    certain = whole or verdicts[worst] is Verdict.MET
    return {ever: "YES" if certain else None, last: days[worst]}


def illnesses(book: Casebook) -> dict[str, Any]:
    """Other illnesses and allergies, past and present."""
    rows = book.of(MedicalHistory)
    whole = closed(book, MedicalHistory)
    of = {category: [r for r in rows if r.category == category] for category in {r.category for r in rows}}
    cancers, heart = of.get("OTHER_MALIGNANCY", []), of.get("CARDIAC", [])
    heart_whole = whole and all(row.subtype for row in heart)
    immune, allergies = of.get("AUTOIMMUNE", []), of.get("ALLERGY", [])
    active = [row.active_at_consent for row in immune]
    return {
        "malignancy_ongoing": found(
            any(row.ongoing for row in cancers), whole and all(row.ongoing is not None for row in cancers)
        ),
        "malignancy_past": found(any(row.ongoing is False for row in cancers), whole),
        "cns_history": found(bool(of.get("CNS")), whole),
        "primary_immunodeficiency": found(bool(of.get("IMMUNODEFICIENCY")), whole),
        "autoimmune_active": found("YES" in active, whole and set(active) <= {"NO"}),
        "myocardial_infarction": _subtype(heart, "MI", heart_whole),
        "unstable_angina": _subtype(heart, "UNSTABLE_ANGINA", heart_whole),
        "other_heart_disease": _subtype(heart, "OTHER_SIGNIFICANT", heart_whole),
        "angioplasty_dates": _stents(book, heart, heart_whole),
        "severe_allergies": tuple(
            sorted({r.allergen_class for r in allergies if _severe(r) and r.allergen_class})
        ),
        "allergies_complete": whole and not any(_allergy_open(row) for row in allergies),
    }


def _subtype(rows: list[Any], subtype: str, whole: bool) -> str | None:
    return found(any(row.subtype == subtype for row in rows), whole)


def _stents(book: Casebook, heart: list[Any], whole: bool) -> tuple[Day, ...] | None:
    """The days of angioplasty or stent; None when there might be one that is not recorded, and none is known."""
    days = tuple(span_of(row.start_date, book.zone) for row in heart if row.subtype == "ANGIOPLASTY_STENT")
    return days if days or whole else None


def _severe(row: Any) -> bool:
    return bool(row.reaction_type == "IMMEDIATE_SEVERE")


def _allergy_open(row: Any) -> bool:
    """Whether an allergy could still turn out to be a severe one to something that matters."""
    return not row.reaction_type or (_severe(row) and not row.allergen_class)
