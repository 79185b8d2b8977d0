"""Mapping profiles: which column of a file is which answer. Data, not code: add a profile by adding a value here.

A wide file has one column per answer; a long one has one row per test, and the rows of one sample make one record.
`form:<name>` reads any form of the study under the names of its own items, and needs no entry here.
"""

from collections.abc import Mapping
from functools import cache

from exchange.incoming_files.profile import (
    FAHRENHEIT,
    INCH,
    POUND,
    WHEN,
    Names,
    Profile,
    Test,
)
from exchange.incoming_files.profile_words import CYTOKINE_WORDS, LAB_WORDS, VITAL_WORDS
from exchange.incoming_files.refusals import FileRefused, near
from safety.forms import ANY_FORM, FORM, STUDY_FORM
from subjects.crf import CRF
from trial.access import Act
from trial.item import items
from trial.text import both
from visits.models import Chemistry, Coagulation, Haematology, PdBcell, PdCytokine, PkSample, VitalSigns

SENDING = (Act.ENTER, Act.STUDY)
"""Who may send a file at all; see `act_of`."""


_LAB_FORMS = (Haematology, Chemistry, Coagulation)


def _tests(words: Mapping[str, str], *forms: type[CRF]) -> dict[str, Test]:
    """Test words (folded) to the form that has the item."""
    found: dict[str, Test] = {}
    for item, said in words.items():
        form = next(f for f in forms if item in f.analytes or item in items(f))
        found |= {word.casefold(): Test(form, item) for word in (item, *said.split())}
    return found


_LONG = {
    "layout": "long",
    "test": ("test", "testcd", "lbtestcd", "vstestcd", "检测项目", "检验项目", "项目"),
    "value": ("value", "result", "orres", "结果"),
    "unit": ("unit", "units", "orresu", "单位"),
}
_NO_VISIT_OF_OURS = (
    *("week 6", "week 16", "week 20", "week 24", "retrieval", "unscheduled 3.1"),
    *("ambul ecg placement", "ambul ecg removal"),
)
_RAW_VISITS = {
    "screening 1": "SCR",
    "screening 2": "SCR",
    "baseline": "D0",
    "week 2": "D14",
    "week 4": "D28",
    "week 8": "M2",
    "week 12": "M3",
    "week 26": "M6",
    **dict.fromkeys(_NO_VISIT_OF_OURS, "UNSCHED"),
}

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "lab_long",
            "Laboratory, one row per test",
            "实验室检查(每行一项)",
            **_LONG,  # type: ignore[arg-type]
            low=("low", "lln", "ref low", "参考下限"),
            high=("high", "uln", "ref high", "参考上限"),
            tests=_tests(LAB_WORDS, *_LAB_FORMS),
            shared={"laboratory": ("laboratory", "lab", "实验室")},
        ),
        Profile(
            "vitals_long",
            "Vital signs, one row per measurement",
            "生命体征(每行一项)",
            **_LONG,  # type: ignore[arg-type]
            tests=_tests(VITAL_WORDS, VitalSigns),
            shared={
                "timepoint": ("timepoint", "时间点"),
                "temp_route": ("route", "temp_route", "测温部位"),
                "room_air": ("room_air", "room air", "未吸氧"),
            },
            constants={"timepoint": "VISIT"},
        ),
        Profile(
            "cytokines_long",
            "Cytokines, one row per test",
            "细胞因子(每行一项)",
            **_LONG,  # type: ignore[arg-type]
            tests=_tests(CYTOKINE_WORDS, PdCytokine),
            low=("low", "lln"),
            high=("high", "uln"),
            shared={
                "nominal_day": ("day", "nominal_day", "planned day", "计划采样日"),
                "laboratory": ("laboratory", "lab", "实验室"),
            },
        ),
        Profile(
            "bcells_long",
            "B cells and immunoglobulins, one row per test",
            "B细胞与免疫球蛋白(每行一项)",
            **_LONG,  # type: ignore[arg-type]
            tests=_tests(dict.fromkeys(PdBcell.analytes, ""), PdBcell),
            low=("low", "lln"),
            high=("high", "uln"),
            shared={
                "nominal_day": ("day", "nominal_day", "planned day", "计划采样日"),
                "laboratory": ("laboratory", "lab", "实验室"),
            },
        ),
        Profile(
            "pk",
            "PK samples, one row per sample and assay",
            "药代动力学样本(每行一个样本)",
            PkSample,
            columns={
                "collect_dt": WHEN,
                "nominal_day": ("day", "nominal_day", "planned day", "计划采样日"),
                "specimen": ("specimen", "标本类型"),
                "assay": ("assay", "method", "检测方法"),
                "result_text": ("result", "result_text", "结果"),
                "copies_per_ug": ("copies", "copies_per_ug"),
                "lloq": ("lloq", "定量下限"),
                "car_pct_cd3": ("car_pct_cd3",),
                "car_per_ul": ("car_per_ul",),
                "gdna_ug": ("gdna_ug",),
            },
        ),
        Profile(
            "vs_raw",
            "Vital signs as collected (pharmaverse raw: PATNUM, INSTANCE, VTLD)",
            "原始采集生命体征(pharmaverse raw)",
            VitalSigns,
            subject=("patnum",),
            visit=("instance",),
            when=("vtld",),
            columns={
                "vs_dt": ("vtld",),
                "height_cm": ("it.height_vsorres",),
                "weight_kg": ("it.weight",),
                "temp_c": ("it.temp",),
                "temp_route": ("it.temp_loc",),
                "sbp": ("sys_bp",),
                "dbp": ("dia_bp",),
                "pulse": ("pulse",),
            },
            codes={"visit": _RAW_VISITS, "temp_route": {"oral cavity": "ORAL", "ear": "TYMPANIC"}},
            constants={"timepoint": "VISIT"},
            convert={"height_cm": INCH, "weight_kg": POUND, "temp_c": FAHRENHEIT},
            own_key=("patnum", "instance", "tmptc"),
            ignored=("study", "form", "forml", "subpos"),
            time="12:00",
            days="d-mon-y",
            note=(
                "The file holds days without a time: every measurement is entered at 12:00 local time. Height is read in "
                "inches, weight in pounds, temperature in degrees Fahrenheit. The position (SUBPOS) has no item here.",
                "文件只有日期没有时间:均按当地时间 12:00 录入。身高按英寸、体重按磅、体温按华氏度读取。"
                "体位(SUBPOS)在本研究中没有对应项目。",
            ),
        ),
    )
}


def profile_named(name: str) -> Profile:
    """A profile of the list, or `form:<name>`. Raises FileRefused naming what there is."""
    kind, _, form = name.partition(":")
    if kind == "form" and form in ANY_FORM:
        return of_form(form)
    if name in PROFILES:
        return PROFILES[name]
    close = near(name, names())
    raise FileRefused(
        "unknown_profile",
        f"There is no profile “{name[:80]}”.{f' Did you mean {close}?' if close else ''} There are: "
        f"{', '.join(PROFILES)} and form:<name> for every form.",
        f"没有名为“{name[:80]}”的映射方案。{f'是否为 {close}?' if close else ''}可用:{'、'.join(PROFILES)},"
        "以及每个表单的 form:<表单名>。",
        ", ".join(PROFILES),
    )


def read_as(name: str) -> str:
    """How a file was read, in words; the profile's name where there is none of that name any more."""
    form = ANY_FORM.get(name.removeprefix("form:")) if name.startswith("form:") else None
    if form is not None:
        return str(form._meta.verbose_name)
    return PROFILES[name].label if name in PROFILES else name


def names() -> list[str]:
    """Every profile's name."""
    return [*PROFILES, *(f"form:{name}" for name in ANY_FORM)]


def act_of(name: str) -> Act:
    """The right that a file of this profile needs: to enter data of subjects, or of the study itself."""
    return Act.STUDY if name.removeprefix("form:") in STUDY_FORM else Act.ENTER


@cache
def of_form(name: str) -> Profile:
    """The profile of one form: headings are its item names, each also as "alt" for alt_value, and the common keys.

    A form of the study itself has neither subject nor visit; the file's site is its site.
    """
    form = ANY_FORM[name]
    of_subject = name in FORM
    columns: dict[str, Names] = {}
    for item, meaning in items(form).items():
        if meaning.calc is not None:
            continue
        short = item.removesuffix("_value")
        columns[item] = (item, short) if item.endswith("_value") and short in form.analytes else (item,)
        columns[f"missing.{short if short in form.analytes else item}"] = (
            f"missing.{short if short in form.analytes else item}",
        )
    for own in ("status", "not_done", "not_done_reason"):
        columns[own] = (own,)
    title = form._meta.verbose_name

    words = both(title)  # type: ignore[arg-type]
    return Profile(
        f"form:{name}",
        f"{words['en']}: headings are our item names",
        f"{words['zh']}:列名为本系统项目名",
        form,
        subject=("subject",) if of_subject else (),
        visit=("visit",) if of_subject else (),
        when=(form.dated_by,) if form.dated_by else (),
        columns=columns,
        own_key=("row",),
    )
