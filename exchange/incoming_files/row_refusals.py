"""What is said of a row, or of a heading, that cannot be mapped."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from exchange.incoming_files.profile import Names, Test
from exchange.incoming_files.refusals import FileRefused, Refusal, near, refusal, shown
from exchange.incoming_files.workbook import ERROR, FORMULA
from trial.refused import normalise
from visits.schedule import VISITS


def formula(heading: str, cell: str) -> Refusal:
    """A cell that holds a formula or the error of one."""
    text = cell.removeprefix(FORMULA).removeprefix(ERROR)
    if cell.startswith(ERROR):
        return refusal(
            heading,
            "error_cell",
            f"The cell holds the spreadsheet's error {shown(text)}, no value.",
            f"单元格为电子表格错误值 {shown(text)},没有数值。",
            text,
        )
    return refusal(
        heading,
        "formula",
        f"“{shown(text)}” is a formula. Formulas are not evaluated: paste the value itself.",
        f"“{shown(text)}”是公式。系统不计算公式:请粘贴数值。",
        text,
    )


def width(found: int, wanted: int) -> Refusal:
    """A row with more or fewer cells than the heading."""
    return refusal(
        "",
        "wrong_width",
        f"The row has {found} cells, the heading {wanted}: a separator is missing or one too many. Put text with a "
        "separator in quotes.",
        f"该行有 {found} 个单元格,而列名有 {wanted} 个:缺少或多出分隔符。含分隔符的文本请加引号。",
        str(found),
        str(wanted),
    )


def unknown_test(heading: str, word: str, tests: Mapping[str, Test]) -> Refusal:
    """A test that the profile does not know."""
    fix = near(word, tests)
    hint_en, hint_zh = (f" Did you mean “{fix}”?", f"是否为“{fix}”?") if fix else ("", "")
    known = ", ".join(sorted({test.item for test in tests.values()}))
    return refusal(
        heading,
        "unknown_test",
        f"“{shown(word)}” is no test of this profile.{hint_en}",
        f"“{shown(word)}”不是该方案的检测项目。{hint_zh}",
        word,
        known,
        fix,
    )


def no_value(heading: str) -> Refusal:
    """A row of a test without its value."""
    return refusal(
        heading,
        "no_value",
        "The row has no value. Leave the row out; that a test was not done is entered on the form with its reason.",
        "该行没有数值。请删除该行;未做的检测请在表单上注明原因。",
    )


def other_unit(heading: str, text: str, unit: str, likely: tuple[str, str, str]) -> Refusal:
    """A measurement of one fixed unit under another; `likely` is the fix with its words."""
    fix, en, zh = likely
    return refusal(
        heading,
        "other_unit",
        f"The unit “{shown(text)}” is not the item's unit {unit}. {en}",
        f"单位“{shown(text)}”不是该项目的单位 {unit}。{zh}",
        text,
        unit,
        fix,
    )


def same_number(written: str, known: Iterable[str]) -> str:
    """The one known subject whose number differs from `written` only in how it is written (width of the digits,
    hyphen, blanks, leading zeros), else "". A number that merely looks alike is another patient: never suggested."""
    meant = _pair(written)
    found = [one for one in known if _pair(one) == meant] if meant else []
    return found[0] if len(found) == 1 else ""


@lru_cache(4096)
def _pair(number: str) -> tuple[int, int] | None:
    """Site and subject in a number however it is written; without a separator the last three digits are the subject's."""
    text = normalise(number)
    parts = re.fullmatch(r"(\d{1,4})[\s_./-]+(\d{1,3})", text, re.ASCII) or re.fullmatch(
        r"(\d{1,4})(\d{3})", text, re.ASCII
    )
    return (int(parts[1]), int(parts[2])) if parts else None


def unknown_subject(heading: str, text: str, wanted: str, known: Mapping[str, UUID]) -> Refusal:
    """A subject that the site does not have."""
    fix = same_number(wanted, known)
    hint_en, hint_zh = (f" It is written {fix}.", f"应写作 {fix}。") if fix else ("", "")
    mapped = f" ({shown(wanted)})" if wanted != text else ""
    return refusal(
        heading,
        "unknown_subject" if wanted else "required",
        f"“{shown(text)}”{mapped} is no subject of this site.{hint_en} Enter the subject first, or give a subject map "
        "(their number, our number).",
        f"“{shown(text)}”{mapped} 不是该中心的受试者。{hint_zh}请先建立受试者,或提供受试者对照表(对方编号, 本研究编号)。",
        text,
        "",
        fix,
    )


def unknown_visit(heading: str, text: str) -> Refusal:
    """A visit that the schedule does not have."""
    fix = near(text, VISITS) if text else ""
    hint_en, hint_zh = (f" Did you mean {fix}?", f"是否为 {fix}?") if fix else ("", "")
    return refusal(
        heading,
        "unknown_visit" if text else "required",
        f"“{shown(text)}” is no visit of the schedule.{hint_en} Use the visit's code, or UNSCHED.",
        f"“{shown(text)}”不是访视计划中的访视。{hint_zh}请填写访视代码或 UNSCHED。",
        text,
        ", ".join(VISITS),
        fix,
    )


def wrong_columns(
    missing: Sequence[Names], strange: Sequence[str], found: Sequence[str], known: Sequence[str]
) -> FileRefused:
    """Headings that are missing or strange, with the nearest of what there is."""
    en, zh = [], []
    for names in missing:
        close = near(names[0], found)
        en.append(f"missing “{names[0]}”" + (f" (nearest here: “{shown(close)}”)" if close else ""))
        zh.append(f"缺少“{names[0]}”" + (f"(文件中最接近的是“{shown(close)}”)" if close else ""))
    for name in list(strange)[:12]:
        close = near(name, known)
        en.append(f"unknown “{shown(name)}”" + (f" (did you mean “{close}”?)" if close else ""))
        zh.append(f"未知列“{shown(name)}”" + (f"(是否为“{close}”?)" if close else ""))
    here = ", ".join(shown(name) for name in list(found)[:40])
    return FileRefused(
        "wrong_columns",
        f"The columns do not fit the profile: {'; '.join(en)}. Found: {here}. A column that shall be left out is named "
        "under “leave out”.",
        f"列与映射方案不符:{';'.join(zh)}。文件中的列:{here}。不需要的列请在“忽略的列”中注明。",
        ", ".join(known)[:2000],
    )
