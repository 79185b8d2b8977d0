"""Rows against each other and against what is stored: what differs, and what is said of it."""

from typing import Any

from exchange.incoming_files.mapping import Line, key_text
from exchange.incoming_files.refusals import Refusal, refusal
from trial.item import items

_OWN = ("status", "not_done", "not_done_reason")
_APART = {
    "visit": (
        " The form is filled in once a visit: a second sample belongs to a visit of its own (UNSCHED).",
        "该表每次访视只填一份:第二份样本请归入另一次访视(UNSCHED)。",
    ),
    "rows": (" Two samples need two times.", "两份样本需填写两个时间。"),
}
"""How two samples are told apart."""


def items_of(line: Line) -> set[str]:
    """The items that a row's answers fill, `<0.1` its qualifier too."""
    names = set(line.answers)
    names |= {f"{n}_value" for n in names}
    return names | {n.removesuffix("_value") + "_qual" for n in names if n.endswith("_value")}


def changed_items(before: Any, record: Any) -> set[str]:
    """The items, and status and marks, in which the file differs from what is stored."""
    names = [record._meta.get_field(name).attname for name in items(record)]
    return {
        name
        for name in (*names, *_OWN, "missing")
        if _text(getattr(before, name)) != _text(getattr(record, name))
    }


def _text(value: Any) -> str:
    if hasattr(value, "astimezone"):
        return key_text(value)
    return "" if value is None else str(value)


def overwritten(before: Any, record: Any, changed: set[str]) -> set[str]:
    """Those of the changed items that say something already. An item that was empty is filled, not overwritten."""
    return {name for name in changed if not _filled(name, getattr(before, name), getattr(record, name))}


def _filled(name: str, stored: Any, new: Any) -> bool:
    if name == "missing":
        return all(new.get(item) == mark for item, mark in stored.items())
    return stored is None or stored in ("", [])


def contradiction(column: str, text: str, others: list[int], form: Any) -> Refusal:
    """A row that differs from others of its record."""
    shown = ", ".join(map(str, others[:5]))
    apart = _APART.get(form.repeats, ("", ""))
    return refusal(
        column,
        "contradiction_in_file",
        f"“{text}” differs from what line {shown} says of the same record. Keep the right row.{apart[0]}",
        f"“{text}”与第 {shown} 行对同一记录的内容不同。请只保留正确的一行。{apart[1]}",
        text,
    )


def closed(before: Any) -> Refusal:
    """A record that takes no change by file."""
    if before.retracted:
        return refusal(
            "",
            "retracted",
            "This record was struck out with a reason. It is not entered again by a file; enter it on its page.",
            "该记录已说明原因并撤销,不会由文件重新录入;请在页面上录入。",
            str(before.pk),
        )
    return refusal(
        "",
        "locked",
        "The record is frozen or locked and takes no change. Ask the data manager to unlock it.",
        "该记录已冻结或锁定,不能修改。请联系数据管理员解锁。",
        str(before.pk),
    )


def conflict(before: Any, record: Any, changed: set[str], line: Line) -> list[Refusal]:
    """The stored value beside the file's, for each item of the row that differs."""
    mine = sorted(changed & items_of(line)) or sorted(changed)
    found = []
    for name in mine:
        stored, new = _text(getattr(before, name)), _text(getattr(record, name))
        found.append(
            refusal(
                line.columns.get(name, name),
                "conflict",
                f"Stored is “{stored}”, the file says “{new}”. Nothing is overwritten unless the import is sent with "
                "“correct”; then the change carries the file as its reason.",
                f"已存“{stored}”,文件为“{new}”。未选择“更正”时不会覆盖;选择后将以该文件作为修改原因。",
                new,
                stored,
            )
        )
    return found
