"""What stands beside the results of a panel, as HTML: flag, grade and range, whether it matters, the adverse event."""

from entry.cells import Head
from entry.grid import Grid, Line
from entry.panel import Beside, flag_of
from entry.places import form_url, record_url
from entry.words import esc
from safety.models import AdverseEvent
from trial.access import Act
from trial.text import T


def beside(grid: Grid, line: Line, name: str, result: Beside | None) -> str:
    """What stands beside a result: above or below the range kept with it, in a panel its grades and that range too."""
    if result is None:
        return _flag(*flag_of(line.record, name)) if line.record is not None else ""
    told = _flag(result.flag, result.limit)
    for term, grade in result.grades:
        words = T(f"{term}, CTCAE 5.0 grade {grade}", f"{term},CTCAE 5.0 {grade} 级")
        seen = f'<span aria-hidden="true">G{grade}</span><span class="unseen"> {esc(words)}</span>'
        told += f'<span class="tox" title="{esc(words)}">{seen}</span>'
    if result.range:
        known = " hidden" if result.range == grid.limits.get(name) else ""
        told += f'<span class="kept"{known}><span class="unseen">{T("range", "参考范围")} </span>{esc(result.range)}</span>'
    return told


def _flag(flag: str, limit: str) -> str:
    if not flag:
        return ""
    sign, words = (
        ("↑", T("above the range", "高于参考范围"))
        if flag == "high"
        else ("↓", T("below the range", "低于参考范围"))
    )
    return f'<span class="flag {flag}" title="{esc(limit)}">{sign}<span class="unseen"> {words}</span></span>'


def significance(grid: Grid, line: Line, head: Head, result: Beside | None) -> str:
    """Whether an abnormal result matters: a choice beside it, and the way to the adverse event once it does."""
    picks = next((one.picks for one in grid.heads if one.name == f"{head.name}_cs"), ())
    if any(one.name == f"{head.name}_cs" for one in grid.chosen):
        return ""  # it is a row of its own
    held, abnormal = line.texts.get(f"{head.name}_cs", ""), result is not None and result.abnormal
    code = next((code for code, texts in picks if str(texts[0]) == held), "")
    way = _event(grid, line, head, result) if code == "CS" and line.record is not None else ""
    if line.read_only:
        return f' <abbr class="cs" title="{esc(held)}">{code}</abbr>{way}' if code else ""
    options = "".join(_option(texts[0], one, one == code) for one, texts in picks)
    hidden = "" if abnormal or held else " hidden"
    return (
        f'<select class="cs" name="{line.number}.{head.name}_cs" aria-labelledby="c-{head.name} l-cs r-{line.number}"{hidden}>'
        f'<option value="">—</option>{options}</select>{way}'
    )


def _event(grid: Grid, line: Line, head: Head, result: Beside | None) -> str:
    """The adverse event that is on record for the result, or the way to report it."""
    subjid, record = grid.place.subject.subjid, line.record
    about = f'<span class="unseen">: {esc(head.label)} {esc(record.visit if record else "")}</span>'
    if result is not None and result.event is not None:
        return f'<a class="ae" href="{esc(record_url(subjid, result.event))}">{T("AE", "AE")} #{result.event.sequence}{about}</a>'
    if not grid.place.actor.may(Act.ENTER) or record is None:
        return ""
    where = f"{form_url(subjid, AdverseEvent, '')}/new?result={record.form}.{record.pk}.{head.name}"
    return f'<a class="ae" href="{esc(where)}">{T("Report as adverse event", "报告为不良事件")}{about}</a>'


def _option(words: str, code: str, chosen: bool) -> str:
    """One choice, by its short name: CS and NCS are what sites write, and the words stand in its title."""
    short = words if code == "NORMAL" else code
    selected = " selected" if chosen else ""
    return f'<option value="{esc(words)}" title="{esc(words)}" data-code="{code}"{selected}>{esc(short)}</option>'
