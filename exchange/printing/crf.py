"""The blank annotated CRF on paper."""

from datetime import datetime
from typing import IO

from entry.context import REGISTRY, STUDY
from exchange.blank import Blank, Field, blanks, digest
from exchange.printing.casebook import WORDS, Progress
from exchange.printing.paper import ACCENT, GAP, LABEL, LEFT, WARN, Paper, Running
from exchange.printing.tongues import Tongue, joined
from trial.protocol import PROTOCOLS
from trial.text import T

TITLE = T("Annotated CRF", "注释病例报告表")
REQUIRED = T("required", "必填")
CALCULATED = T("calculated by the system", "系统计算")
COLLECTED = T("Collected", "采集时点")
NO_ANSWER = T("no answer", "无答案")
ASKED = T("asked when", "填写条件")
VERSION = T("protocol versions", "方案版本")
DEFINITIONS = T(
    "The hash is over the definitions: the same forms give the same hash.",
    "哈希基于表单定义:相同定义得到相同哈希。",
)


def draw(
    tongue: Tongue, made: datetime, out: IO[bytes], progress: Progress = lambda done, total: None
) -> int:
    """Write the CRF as PDF; returns the number of pages."""
    books = tongue.each(blanks)
    version = f"{tongue.say(VERSION)} {', '.join(PROTOCOLS)}"
    running = Running(
        f"{STUDY} · {REGISTRY} · {tongue.say(TITLE)}",
        version,
        digest(),
        tongue.say(DEFINITIONS),
        tongue.say(WORDS["page"]),
    )
    paper = Paper(running, made, tongue.tag)
    total = len(books[0])
    for number, forms in enumerate(zip(*books, strict=True)):
        progress(number, total)
        if number:
            paper.add_page()
        _form(paper, tongue, forms)
    progress(total, total)
    paper.write_to(out)
    return paper.pages_count


def _form(paper: Paper, tongue: Tongue, forms: tuple[Blank, ...]) -> None:
    one = forms[0]
    paper.heading(joined([form.title for form in forms]), 0)
    domain = f"SDTM {one.domain or '—'} · {one.form}"
    paper.block(f"{domain} · {joined([form.repeats for form in forms])}", 7.5, ACCENT)
    paper.block(f"{tongue.say(COLLECTED)}: {joined([form.visits for form in forms])}", 7.5)
    for parts in zip(*(form.parts for form in forms), strict=True):
        if parts[0].title:
            paper.heading(joined([part.title for part in parts]), 2)
        for fields in zip(*(part.fields for part in parts), strict=True):
            _field(paper, tongue, fields)


def _field(paper: Paper, tongue: Tongue, fields: tuple[Field, ...]) -> None:
    one = fields[0]
    paper.room(13)
    label = joined([field.label for field in fields]) + (" *" if one.required else "")
    if one.options:
        shown = [joined(words) for words in zip(*(field.options for field in fields), strict=True)]
        paper.pair(label, "   ".join(f"[  ] {words}" for words in shown))
    else:
        paper.empty_box(LEFT + LABEL + GAP, one.calculated)
        paper.pair(label, one.unit, shift=38)
    paper.note(
        f"{one.cdash}  →  {joined([field.sdtm for field in fields])}", ACCENT if one.submitted else WARN
    )
    if one.no_answer:
        paper.note(f"{tongue.say(NO_ANSWER)} {one.no_answer}")
    about = [joined([field.kind for field in fields])]
    about += [tongue.say(REQUIRED)] if one.required else []
    about += [tongue.say(CALCULATED)] if one.calculated else []
    about += [joined([field.limits for field in fields])] if one.limits else []
    about += [f"{tongue.say(ASKED)} {joined([field.asked for field in fields])}"] if one.asked else []
    about += [joined([field.note for field in fields])] if one.note else []
    paper.note(" · ".join([*about, joined([field.basis for field in fields])]))
