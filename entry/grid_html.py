"""A grid as HTML. Written here and not in a template: five hundred lines are six thousand boxes."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from entry.astct import AS_COMPUTED
from entry.cells import Head, Pick
from entry.grid import NOT_DONE, Grid, Line, column_of
from entry.panel_html import beside, significance
from entry.templatetags.edc import icon
from entry.words import counted, esc
from subjects.crf import CRF
from trial.findings import Doubt, Problem
from trial.text import T
from visits.schedule import VISITS


def table(grid: Grid) -> SafeString:
    """The table of a grid: lines downwards, or (a panel) items downwards and records beside each other."""
    body = "".join(_panel(grid) if grid.layout == "panel" else _lines(grid))
    label = (
        f'<span class="unseen" id="l-cs">{T("clinical significance", "临床意义")}</span>'
        if grid.beside
        else ""
    )
    return mark_safe(f'<table class="grid">{body}</table>{"".join(_lists(grid))}{label}')


def _lists(grid: Grid) -> Iterator[str]:
    """What can be picked, once for a whole column."""
    for head in grid.chosen:
        if head.picks:
            yield f'<datalist id="p-{head.name}">{"".join(_option(pick) for pick in head.picks)}</datalist>'
    if grid.visits and any(line.record is None for line in grid.lines):
        options = "".join(f'<option value="{code}">{esc(v.label)}</option>' for code, v in VISITS.items())
        yield f'<datalist id="p-visit">{options}</datalist>'


def _option(pick: Pick) -> str:
    code, texts = pick
    return f'<option value="{esc(texts[0])}" data-also="{esc("|".join(str(t) for t in (*texts[1:], code)))}"></option>'


def _lines(grid: Grid) -> Iterator[str]:
    heads = "".join(_column_head(grid, head) for head in grid.chosen)
    visit = f'<th scope="col" id="c-visit">{T("Visit", "访视")}</th>' if grid.visits else ""
    yield f'<thead><tr><th scope="col">#</th>{visit}{heads}</tr></thead><tbody>'
    for line in grid.lines:
        cells = "".join(_cell(grid, line, head) for head in grid.chosen)
        place = _visit(line) if grid.visits else ""
        yield f'<tr class="{_state(line)}"><th scope="row" id="r-{line.number}">{_row_head(grid, line)}</th>{place}{cells}</tr>'
        if line.tells:
            width = len(grid.chosen) + grid.visits
            yield f'<tr class="says" data-of="{line.number}"><td></td><td colspan="{width}">{says(grid, line)}</td></tr>'
    yield "</tbody>"


def _panel(grid: Grid) -> Iterator[str]:
    heads = "".join(
        f'<th scope="col" id="r-{line.number}" class="{_state(line)}">{_row_head(grid, line)}</th>'
        for line in grid.lines
    )
    ranged = any(head.kind == "analyte" for head in grid.chosen)
    limits = f'<th scope="col" id="c-reference">{reference(grid.limits_on)}</th>' if ranged else ""
    yield f'<thead><tr><th scope="col">{T("Item", "项目")}</th>{limits}{heads}</tr></thead><tbody>'
    if grid.visits:
        visits = "".join(_visit(line) for line in grid.lines)
        yield f'<tr><th scope="row" id="c-visit">{T("Visit", "访视")}</th>{"<td></td>" if ranged else ""}{visits}</tr>'
    for head in grid.chosen:
        cells = "".join(_cell(grid, line, head) for line in grid.lines)
        limit = (
            f'<td class="quiet" data-limit="{head.name}">{esc(grid.limits.get(head.name, ""))}</td>'
            if ranged
            else ""
        )
        yield f'<tr><th scope="row" id="c-{head.name}">{_label(grid, head)}</th>{limit}{cells}</tr>'
    for line in grid.lines:
        if line.tells:
            width = len(grid.lines) + 1 + ranged
            yield f'<tr class="says" data-of="{line.number}"><td colspan="{width}">{says(grid, line)}</td></tr>'
    yield "</tbody>"


def reference(on: date | None) -> str:
    """The head of the ranges: of which day they are."""
    day = on.isoformat() if on is not None else T("today", "今日")
    return f'{T("Reference", "参考范围")} <span class="unit">{esc(day)}</span>'


def _column_head(grid: Grid, head: Head) -> str:
    return f'<th scope="col" id="c-{head.name}" class="k-{head.kind}">{_label(grid, head)}</th>'


def _label(grid: Grid, head: Head) -> str:
    needed = (
        f' <span class="req" aria-hidden="true">*</span><span class="unseen">{T("needed", "必填")}</span>'
    )
    unit = f' <span class="unit">{esc(head.unit)}</span>' if head.unit else ""
    calculated = f' <span class="unit">{T("calculated", "系统计算")}</span>' if head.read_only else ""
    beside = (
        f' <span class="unit">{T("ASTCT beside", "旁列ASTCT分级")}</span>' if head.name == grid.graded else ""
    )
    return f"{esc(head.label)}{needed if head.required else ''}{unit}{calculated}{beside}"


def _state(line: Line) -> str:
    return "wrong" if line.dirty else "new" if line.record is None else "locked" if line.read_only else ""


def _row_head(grid: Grid, line: Line) -> str:
    record = line.record
    dirty = " data-dirty" if line.dirty else ""
    hidden = f'<input type="hidden" name="row" value="{line.number}:{line.key}:{line.seen}"{dirty}>'
    if record is None:
        words = f'<span class="unseen">{T("new line", "新行")} {line.number + 1}</span>'
        return f'{hidden}<span aria-hidden="true">+</span>{words}'
    name = (
        f"{record.visit} #{record.sequence}"
        if grid.layout == "panel" and grid.visits
        else f"#{record.sequence}"
    )
    asked = line.asked.total()
    query = _asked(asked) if asked else ""
    link = f'<a href="{esc(line.url)}" tabindex="-1">{esc(name)}</a>'
    return f"{'' if line.read_only else hidden}{link} {_sign(grid, record)}{query}"


def _asked(n: int) -> str:
    words = counted(n, "open query", "open queries", "条待答复质疑")
    return f' <span class="q">?{n}<span class="unseen"> {words}</span></span>'


def _sign(grid: Grid, record: CRF) -> str:
    """How far the record is, as a sign with its words; made once for each state."""
    state = (record.lock_state, record.not_done, record.status)
    if state not in grid.signs:
        if record.lock_state != "OPEN":
            name, told = "locked", record.get_lock_state_display()
        elif record.not_done:
            name, told = "skipped", NOT_DONE
        else:
            name = "done" if record.status == "COMPLETE" else "started"
            told = record.get_status_display()
        grid.signs[state] = icon(name, str(told))
    return grid.signs[state]


def _visit(line: Line) -> str:
    if line.record is not None:
        return f'<td class="place">{esc(line.record.visit)}</td>'
    wrong = ' aria-invalid="true"' if "visit" in line.wrong else ""
    return (
        f'<td><input name="{line.number}.visit" value="{esc(line.visit)}" list="p-visit" '
        f'aria-labelledby="c-visit r-{line.number}"{wrong} id="g-{line.number}-visit"></td>'
    )


def _cell(grid: Grid, line: Line, head: Head) -> str:
    text, name, number = line.texts.get(head.name, ""), head.name, line.number
    more = _result(grid, line, head) if head.kind == "analyte" else _beside(grid, line, head)
    if head.read_only or line.read_only:
        inside = f'<output data-calc="{number}.{name}">{esc(text)}</output>{more}'
        return f'<td class="calc">{_in_line(grid, head, inside)}</td>'
    picks = f' list="p-{name}"' if head.picks and head.kind != "codes" else ""
    marked, wrong = "", line.wrong
    if wrong and name in {column_of(grid.place.model, one) for one in wrong}:
        marked = f' id="g-{number}-{name}" aria-invalid="true" aria-describedby="s-{number}-{name}"'
    asked = ' class="asked"' if line.asked[name] else ""
    box = f'<input name="{number}.{name}" value="{esc(text)}"{picks} aria-labelledby="c-{name} r-{number}"{marked}>'
    return f"<td{asked}>{_in_line(grid, head, box + more)}</td>"


def _in_line(grid: Grid, head: Head, inside: str) -> str:
    """A result of a panel has more than its box beside each other."""
    panel = head.kind == "analyte" and grid.layout == "panel"
    return f'<div class="res">{inside}</div>' if panel else inside


def _result(grid: Grid, line: Line, head: Head) -> str:
    """What stands behind the box of a laboratory result."""
    result = grid.beside.get(line.key, {}).get(head.name)
    told = beside(grid, line, head.name, result)
    told = f'<span class="at">{told}</span>' if told else ""
    return told + significance(grid, line, head, result) if grid.layout == "panel" else told


def _beside(grid: Grid, line: Line, head: Head) -> str:
    if head.name != grid.graded:
        return ""
    return f'<span class="at">{grade(line.beside, line.texts.get(head.name, ""))}</span>'


def grade(computed: str, said: Any) -> str:
    """The computed grade beside what the investigator says."""
    if not computed:
        return ""
    differs = said not in (None, "") and str(said) != computed
    return (
        f'<span class="beside{" differs" if differs else ""}"><span class="unseen">{AS_COMPUTED}: </span>'
        f'<span aria-hidden="true">→ </span>{esc(computed)}</span>'
    )


def says(grid: Grid, line: Line) -> str:
    """The words under a line, those of one box together, so that the box can name them as its description."""
    labels, model = {head.name: head.label for head in grid.heads}, grid.place.model
    found: dict[str, list[str]] = {}
    things: list[Problem | Doubt] = [*line.problems, *line.doubts]
    for thing in things:
        kind = "doubt" if isinstance(thing, Doubt) else "problem"
        name = column_of(model, thing.field)
        label = labels.get(name, "")
        named = f"{esc(label)}: " if label and label not in str(thing.message) else ""
        sign = icon("attention") + " " if kind == "doubt" else ""
        found.setdefault(name, []).append(f'<p class="{kind}">{sign}{named}{esc(thing.message)}</p>')
    for name, (theirs, mine) in line.meanwhile.items():
        yours = f" · <b>{T('Yours', '您填写')}</b> {esc(mine)}" if mine else ""
        now = f"<b>{T('Stored now', '当前存储')}</b> {esc(theirs or T('(no answer)', '(无答案)'))}"
        found.setdefault(name, []).append(f'<p class="doubt">{esc(labels.get(name, name))}: {now}{yours}</p>')
    parts = [f'<p class="problem">{esc(line.message)}</p>'] if line.message else []
    parts += [f'<div id="s-{line.number}-{name}">{"".join(words)}</div>' for name, words in found.items()]
    return f'<div id="s-{line.number}">{"".join(parts)}</div>'
