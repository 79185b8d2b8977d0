"""Code lists: closed answers, each code with its label in both languages."""

from dataclasses import dataclass

from trial.text import T


@dataclass(frozen=True)
class CodeList:
    """A closed list of answers. `rows` are (code, English, Chinese) in the order shown."""

    name: str
    rows: tuple[tuple[str, str, str], ...]

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Django choices; labels follow the active language."""
        return [(code, T(en, zh)) for code, en, zh in self.rows]

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes alone, in order."""
        return tuple(code for code, _, _ in self.rows)

    @property
    def longest(self) -> int:
        """Characters of the longest code: the column's width."""
        return max(len(code) for code in self.codes)

    def words(self, code: str) -> tuple[str, str]:
        """The label of `code` in English and Chinese, or the code itself twice when the list does not know it."""
        return next(((en, zh) for known, en, zh in self.rows if known == code), (code, code))

    def label(self, code: str) -> str:
        """The label of `code`, or the code itself when the list does not know it."""
        return T(*self.words(code))


YES_NO = CodeList("CL_YN", (("YES", "Yes", "是"), ("NO", "No", "否")))
YES_NO_UNKNOWN = CodeList("CL_YNU", (*YES_NO.rows, ("UNKNOWN", "Unknown", "未知")))
POS_NEG = CodeList(
    "CL_POSNEG",
    (
        ("POSITIVE", "Positive", "阳性"),
        ("NEGATIVE", "Negative", "阴性"),
        ("INDETERMINATE", "Indeterminate", "不确定"),
        ("NOT_DONE", "Not done", "未做"),
    ),
)
MISSING = CodeList(
    "CL_MISSING",
    (
        ("NOT_DONE", "Not done", "未做"),
        ("UNKNOWN", "Unknown", "未知"),
        ("NOT_APPLICABLE", "Not applicable", "不适用"),
        ("SAMPLE_LOST", "Sample lost", "标本丢失"),
        ("SAMPLE_HAEMOLYSED", "Sample haemolysed", "标本溶血"),
        ("SUBJECT_REFUSED", "Subject refused", "受试者拒绝"),
        ("EQUIPMENT", "Equipment failure", "设备故障"),
        ("OTHER", "Other", "其他"),
    ),
)
