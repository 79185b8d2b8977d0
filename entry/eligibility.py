"""The eligibility page as data: 29 criteria by milestone, each with its evidence, what is missing, and both verdicts.

The page and the API show the same: what the data say as it is stored, what the investigator answered, whether the two
agree, and what follows. Milestones not reached show every criterion as not yet assessable.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from entry.eligibility_shown import Cell, Column, CriterionRow, FactShown, Gap, InfusionDay, Page
from entry.flags import record_link
from entry.places import form_url, record_url
from entry.words import now
from review.computed import discordant, field_of
from review.places import field_name, form_name, line_name
from review.signatures import signatures_of
from safety import in_chinese
from safety.eligibility.evaluate import CRITERION_IDS, JUDGES, MILESTONES, OVERALL
from safety.forms import FORM
from safety.models import EligibilityResult
from subjects.codelists import MILESTONE
from subjects.codelists import OVERALL as OUTCOMES
from subjects.codelists import VERDICT as ANSWERS
from subjects.crf import Subject
from subjects.models import Eligibility
from trial.ambiguity_models import provisional
from trial.item import Basis
from trial.logic import Verdict, all_of
from trial.protocol import PROTOCOLS
from trial.registry import criterion
from trial.text import T
from visits.schedule import VISITS

VISIT_OF = {"SCREENING": "SCR", "PRE_APHERESIS": "APH", "PRE_LD": "LD-5", "PRE_INFUSION": "D0"}
WORDS: dict[tuple[str, str], str] = {
    ("I", "MET"): T("Met", "符合"),
    ("I", "NOT_MET"): T("Not met", "不符合"),
    ("E", "MET"): T("Present: excludes", "存在,须排除"),
    ("E", "NOT_MET"): T("Not present", "不存在"),
    ("I", "UNKNOWN"): T("Cannot be told", "不能判定"),
    ("E", "UNKNOWN"): T("Cannot be told", "不能判定"),
    ("I", "NOT_YET"): T("Not yet assessable", "尚不可评估"),
    ("E", "NOT_YET"): T("Not yet assessable", "尚不可评估"),
}
SIGNS = {True: "done", False: "cross", None: "attention"}


def eligibility_of(subject: Subject) -> Page:
    """Read the page of a subject: five statements and one per signed checklist. Call inside `audit.reading`."""
    results = {(r.milestone, r.criterion): r for r in EligibilityResult.objects.filter(subject_id=subject.pk)}
    lists = _checklists(subject)
    open_ = provisional()
    columns = [_column(subject, name, results, lists.get(name)) for name in MILESTONES]
    rows = [_row(subject, one, results, lists, open_.get(one, [])) for one in CRITERION_IDS]
    for at, column in enumerate(columns):
        cells = [row.cells[at] for row in rows]
        column.discordances = sum(1 for cell in cells if cell.discordant)
        column.changed = sum(1 for cell in cells if cell.now)
    earliest = _earliest(results)
    return Page(subject, columns, rows, earliest, _infusion(results, earliest))


def _checklists(subject: Subject) -> dict[str, Eligibility]:
    """The newest checklist of each milestone; a complete one before a draft."""
    rows = Eligibility.objects.filter(subject_id=subject.pk, retracted=False, not_done=False)
    ordered = sorted(rows, key=lambda r: (r.status == "COMPLETE", r.assessed_date or date.min, r.sequence))
    return {row.milestone: row for row in ordered if row.milestone}


def overall_of(milestone: str, results: Mapping[tuple[str, str], EligibilityResult]) -> str:
    """ELIGIBLE, INELIGIBLE or UNKNOWN by what is stored; what is not yet assessable does not hold it open."""
    found = [results[(milestone, one)] for one in CRITERION_IDS if (milestone, one) in results]
    if len(found) < len(CRITERION_IDS):
        return "UNKNOWN"
    return OVERALL[all_of(Verdict.of(one.admits) for one in found if one.verdict != "NOT_YET")]


def outcome_of(computed: str, answered: str, signed: bool) -> str:
    """What follows: eligible only if the data and the investigator say so and it is signed. Nothing waives a failure."""
    if "INELIGIBLE" in (computed, answered):
        return "INELIGIBLE"
    return "ELIGIBLE" if computed == answered == "ELIGIBLE" and signed else "UNKNOWN"


def _column(
    subject: Subject,
    milestone: str,
    results: Mapping[tuple[str, str], EligibilityResult],
    row: Eligibility | None,
) -> Column:
    first = results.get((milestone, CRITERION_IDS[0]))
    made = Column(milestone, str(MILESTONE.label(milestone)), reached=first is not None)
    made.new_url = f"{form_url(subject.subjid, Eligibility, '')}/new?milestone={milestone}"
    if row is not None:
        made.checklist, made.complete = record_url(subject.subjid, row), row.status == "COMPLETE"
        made.answered = row.overall if made.complete else ""
        signed = [s for s in signatures_of(row) if s.stands and s.meaning == "ELIGIBILITY"]
        made.signature = signed[-1] if signed else None
    if first is not None:
        made.computed = overall_of(milestone, results)
        made.as_of, made.protocol, made.rules = first.as_of, first.protocol_version, first.rule_version
        made.frozen = first.signature_id is not None
        made.outcome = outcome_of(made.computed, made.answered, made.signature is not None)
    for name in ("computed", "answered", "outcome"):
        code = getattr(made, name)
        setattr(made, f"{name}_word", str(OUTCOMES.label(code)) if code else "")
    return made


def _row(
    subject: Subject,
    id_: str,
    results: Mapping[tuple[str, str], EligibilityResult],
    lists: Mapping[str, Eligibility],
    provisional: list[str],
) -> CriterionRow:
    judge = JUDGES[id_]
    cells = [_cell(subject, id_, name, results.get((name, id_)), lists.get(name)) for name in MILESTONES]
    latest = next((cell.result for cell in reversed(cells) if cell.result is not None), None)
    protocol = PROTOCOLS.get(latest.protocol_version if latest else "", next(iter(PROTOCOLS.values())))
    return CriterionRow(
        id=id_,
        text=criterion(id_).text,
        translated=now("", in_chinese.REGISTERED[id_]),
        reading=str(T(judge.text, in_chinese.READINGS[id_])),
        basis=str(Basis(judge.basis).label),
        basis_code=str(judge.basis),
        limit=str(T(*judge.limit(protocol))),
        provisional=provisional,
        cells=cells,
    )


def _cell(
    subject: Subject, id_: str, milestone: str, result: EligibilityResult | None, row: Eligibility | None
) -> Cell:
    kind = id_[0]
    if result is None:
        return Cell(milestone, "NOT_YET", str(WORDS[(kind, "NOT_YET")]), "none")
    icon = "none" if result.verdict == "NOT_YET" else SIGNS[result.admits]
    cell = Cell(milestone, result.verdict, str(WORDS[(kind, result.verdict)]), icon, result.asked, True)
    cell.result, cell.reason = result, str(result.reason)
    if row is not None and row.status == "COMPLETE":
        cell.answer = getattr(row, field_of(id_))
        cell.answer_word = str(ANSWERS.label(cell.answer)) if cell.answer else ""
        cell.discordant = discordant(cell.answer, result.verdict_now or result.verdict)
    if result.verdict_now:
        cell.now, cell.now_word = result.verdict_now, str(WORDS[(kind, result.verdict_now)])
    told = result.evidence
    cell.note = _words(told["note"]) if told.get("note") else ""
    cell.facts = _facts(told)
    cell.gaps = _gaps(subject, told, milestone) if result.verdict in ("UNKNOWN", "NOT_YET") else []
    cell.parts = [_part(part) for part in told.get("parts", ())]
    return cell


def _words(told: Mapping[str, str]) -> str:
    return str(T(told["en"], told["zh"]))


def _part(part: Mapping[str, Any]) -> tuple[str, str, str]:
    verdict = part["verdict"]
    icon = SIGNS[{"MET": True, "NOT_MET": False}.get(verdict)]
    return part["criterion"], str(WORDS[("I", verdict)]), icon


def _facts(told: Mapping[str, Any]) -> list[FactShown]:
    return [_fact(fact) for fact in told.get("facts", ())]


def _fact(fact: Mapping[str, Any]) -> FactShown:
    unit, qualifier = fact.get("unit", ""), fact.get("qualifier", "")
    more = []
    if "normalised" in fact and fact["normalised"]["unit"] != unit:
        more.append(f"= {fact['normalised']['value']} {fact['normalised']['unit']}")
    if "range" in fact:
        low, high = (fact["range"][end] or "…" for end in ("low", "high"))
        more.append(str(T(f"range in force {low} – {high}", f"当时参考范围 {low} – {high}")))
    if len(fact.get("records", ())) > 1:
        more.append(str(T(f"{len(fact['records'])} rows", f"{len(fact['records'])} 行")))
    form, name = fact.get("form", ""), fact.get("field", "")
    url = record_link(form, fact.get("record"), name)
    said = f"{qualifier} {_value(form, name, fact['value'])} {unit}".strip()
    return FactShown(_words(fact), said, fact.get("day", ""), url, tuple(more), form_name(form))


def _value(form: str, name: str, value: str) -> str:
    """A coded answer by its label, yes and no in words; anything else as it stands."""
    model = FORM.get(form)
    column = next((c for c in model._meta.fields if c.name == name), None) if model else None
    codes = getattr(getattr(column, "item", None), "codes", None)
    if codes is not None and value in codes.codes:
        return str(codes.label(value))
    return str(
        {"YES": T("Yes", "是"), "NO": T("No", "否"), "True": T("Yes", "是"), "False": T("No", "否")}.get(
            value, value
        )
    )


def _gaps(subject: Subject, told: Mapping[str, Any], milestone: str) -> list[Gap]:
    return [_gap(subject, gap, milestone) for gap in told.get("lacking", ())]


def _gap(subject: Subject, gap: Mapping[str, str], milestone: str) -> Gap:
    form, name = gap["form"], gap["field"]
    model = FORM.get(form)
    if model is None:
        return Gap(_words(gap), gap["why"], "", "")
    wanted = VISITS[VISIT_OF[milestone]]
    visit = wanted.code if form in (*wanted.forms, *wanted.optional, "visit") else "SCR"
    url = form_url(subject.subjid, model, visit)
    where = " · ".join(part for part in (form_name(form), field_name(form, name)) if part)
    return Gap(_words(gap), gap["why"], url + (f"#row-{line_name(model, name)}" if name else ""), where)


def _earliest(results: Mapping[tuple[str, str], EligibilityResult]) -> dict[str, str] | None:
    """The earliest permissible infusion after an allogeneic transplant, from the latest verdict on I-01."""
    told: dict[str, str] | None = _disease(results).get("earliest_infusion")
    return told


def _infusion(
    results: Mapping[tuple[str, str], EligibilityResult], earliest: Mapping[str, str] | None
) -> InfusionDay | None:
    """The infusion, actual or planned, beside the earliest day: too early, late enough, or not to be told."""
    fact = next((f for f in _disease(results).get("facts", ()) if f["name"] == "infusion_date"), None)
    if fact is None or earliest is None:
        return None
    day, form = fact["value"], fact["form"]
    verdict = "NOT_MET" if day < earliest["first"] else "MET" if day >= earliest["last"] else "UNKNOWN"
    return InfusionDay(day, form_name(form), record_link(form, fact.get("record"), fact["field"]), verdict)


def _disease(results: Mapping[tuple[str, str], EligibilityResult]) -> Mapping[str, Any]:
    """The evidence of the latest verdict on I-01."""
    found = (results.get((name, "I-01")) for name in reversed(MILESTONES))
    return next((one.evidence for one in found if one is not None), {})
