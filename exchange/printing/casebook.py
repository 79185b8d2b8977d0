"""A casebook on paper: the same chapters, sheets and answers as the page."""

from collections.abc import Callable
from typing import IO

from entry.casebook import Filed
from entry.casebook_parts import Answer, Asked, Book, Chapter, Flagged, Sheet, Signed
from entry.casebook_shown import book_of
from entry.casebook_trail import Step
from entry.context import REGISTRY, STUDY
from exchange.printing.paper import WARN, Paper, Running
from exchange.printing.tongues import Tongue, joined
from trial.text import T

Progress = Callable[[int, int], None]
STATE = T("State", "状态")
WORDS: dict[str, str] = {
    "casebook": T("Casebook", "病例报告"),
    "as_of": T("data as of", "数据截至"),
    "checkpoint": T("Ledger checkpoint", "账本检查点"),
    "page": T("page {x} of {y}", "第 {x} 页,共 {y} 页"),
    "version": T("version", "版本"),
    "retracted": T("RETRACTED", "已撤销"),
    "not_done": T("Not done", "未做"),
    "absent": T("Not entered", "未录入"),
    "calculated": T("calculated", "系统计算"),
    "typed": T("typed as", "原始输入"),
    "query": T("Query", "质疑"),
    "signed": T("Signed", "已签署"),
    "changed_since": T("THE RECORD CHANGED SINCE", "签署后记录已更改"),
    "provisional": T("provisional reading", "解读待批准"),
    "rest": T("On no single record", "不属于单条记录"),
    "audited": T("with the audit trail of every value", "含每个值的稽查轨迹"),
}


def draw(filed: Filed, tongue: Tongue, out: IO[bytes], progress: Progress = lambda done, total: None) -> int:
    """Write the casebook as PDF; returns the number of pages. Asks the database for nothing."""
    books = tongue.each(lambda: book_of(filed))
    first = books[0]
    about = f"{filed.subject.subjid} · {tongue.say(WORDS['as_of'])} {first.as_of}"
    checkpoint = f"{tongue.say(WORDS['checkpoint'])}: {joined([book.checkpoint for book in books])}"
    title = f"{STUDY} · {REGISTRY} · {tongue.say(WORDS['casebook'])}"
    page = tongue.say(WORDS["page"])
    paper = Paper(Running(title, about, first.digest, checkpoint, page), filed.as_of, tongue.tag)
    _top(paper, tongue, books)
    total = len(first.chapters)
    for number, chapters in enumerate(zip(*(book.chapters for book in books), strict=True)):
        progress(number, total)
        _chapter(paper, tongue, chapters)
    _rest(paper, tongue, books)
    progress(total, total)
    paper.write_to(out)
    return paper.pages_count


def _top(paper: Paper, tongue: Tongue, books: tuple[Book, ...]) -> None:
    name = f"{tongue.say(WORDS['casebook'])} {books[0].subjid}"
    paper.heading(name, 0)
    for facts in zip(*(book.facts for book in books), strict=True):
        paper.pair(joined([label for label, _ in facts]), joined([value for _, value in facts]))
    if books[0].audited:
        paper.note(tongue.say(WORDS["audited"]))


def _chapter(paper: Paper, tongue: Tongue, chapters: tuple[Chapter, ...]) -> None:
    paper.heading(joined([chapter.title for chapter in chapters]), 0)
    if chapters[0].about:
        paper.block(joined([chapter.about for chapter in chapters]), 7)
    if chapters[0].absent:
        absent = [joined(names) for names in zip(*(chapter.absent for chapter in chapters), strict=True)]
        paper.block(f"{tongue.say(WORDS['absent'])}: {' · '.join(absent)}", 7, WARN)
    for sheets in zip(*(chapter.sheets for chapter in chapters), strict=True):
        _sheet(paper, tongue, sheets)


def _sheet(paper: Paper, tongue: Tongue, sheets: tuple[Sheet, ...]) -> None:
    one = sheets[0]
    paper.heading(joined([sheet.title for sheet in sheets]), 1)
    state = [joined([sheet.state for sheet in sheets]), joined([sheet.lock for sheet in sheets])]
    state += [f"{tongue.say(WORDS['version'])} {one.version}", one.changed]
    state += [tongue.say(WORDS["retracted"])] if one.retracted else []
    paper.block(" · ".join(filter(None, state)), 7)
    if one.not_done:
        paper.block(f"{tongue.say(WORDS['not_done'])}: {joined([s.not_done for s in sheets])}", 8, WARN)
    _said(paper, tongue, [(s.queries, s.deviations) for s in sheets])
    for parts in zip(*(sheet.parts for sheet in sheets), strict=True):
        if parts[0].title:
            paper.heading(joined([part.title for part in parts]), 2)
        for answers in zip(*(part.answers for part in parts), strict=True):
            _answer(paper, tongue, answers, one.retracted)
    _trail(paper, [sheet.trail for sheet in sheets], named=True)
    for signed in zip(*(sheet.signatures for sheet in sheets), strict=True):
        _signature(paper, tongue, signed)


def _answer(paper: Paper, tongue: Tongue, answers: tuple[Answer, ...], struck: bool) -> None:
    one = answers[0]
    value = joined([answer.value for answer in answers])
    more = [one.unit] if one.unit else []
    more += [f"({tongue.say(WORDS['calculated'])})"] if one.calculated else []
    more += [f"({tongue.say(WORDS['typed'])} “{one.typed}”)"] if one.typed else []
    paper.pair(joined([answer.label for answer in answers]), " ".join([value, *more]), struck)
    _said(paper, tongue, [(answer.queries, answer.deviations) for answer in answers])
    _trail(paper, [answer.trail for answer in answers])


def _said(paper: Paper, tongue: Tongue, said: list[tuple[list[Asked], list[Flagged]]]) -> None:
    for flags in zip(*(deviations for _, deviations in said), strict=True):
        status = f"{joined([f.severity for f in flags])} · {joined([f.status for f in flags])}"
        words = f"! {flags[0].rule_id} {joined([f.title for f in flags])} [{status}] "
        source = f" ({flags[0].citation}; {joined([f.basis for f in flags])}{_open(tongue, flags[0])})"
        paper.note(words + joined([f.message for f in flags]) + source, WARN)
    for asked in zip(*(queries for queries, _ in said), strict=True):
        about = f"{joined([q.source for q in asked])} · {joined([q.status for q in asked])} · {asked[0].when}"
        paper.note(f"? {tongue.say(WORDS['query'])} [{about}] {joined([q.text for q in asked])}", WARN)
        for by, when, text in asked[0].talk:
            paper.note(f"   {by} · {when}: {text}")


def _open(tongue: Tongue, flag: Flagged) -> str:
    """The mark of a finding that rests on a reading nobody has approved."""
    named = ", ".join(flag.provisional)
    return f"; {tongue.say(WORDS['provisional'])} {named}" if named else ""


def _trail(paper: Paper, trails: list[list[Step]], named: bool = False) -> None:
    for steps in zip(*trails, strict=True):
        one = steps[0]
        who = f"v{one.version} · {one.when} · {one.who} ({joined([step.role for step in steps])})"
        why = f" · {one.why}" if one.why else ""
        label = f" {joined([step.label for step in steps])}:" if named else ""
        old, new = joined([step.old for step in steps]), joined([step.new for step in steps])
        paper.note(f"{who}{why}{label} {old} → {new}", whole=named)


def _signature(paper: Paper, tongue: Tongue, signed: tuple[Signed, ...]) -> None:
    one = signed[0]
    words = [f"{tongue.say(WORDS['signed'])}: {one.name} ({joined([s.role for s in signed])})", one.when]
    words += [joined([s.meaning for s in signed]), f"{tongue.say(WORDS['version'])} {one.version}"]
    words += [] if one.stands else [tongue.say(WORDS["changed_since"])]
    paper.block(" · ".join(words), 8)


def _rest(paper: Paper, tongue: Tongue, books: tuple[Book, ...]) -> None:
    if books[0].queries or books[0].deviations:
        paper.heading(tongue.say(WORDS["rest"]), 0)
        _said(paper, tongue, [(book.queries, book.deviations) for book in books])
