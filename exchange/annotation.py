"""The CDASH and SDTM name beside every field of the annotated CRF.

What an item itself states wins. Else the plain rule of its domain holds: a finding is `--ORRES where --TESTCD`, its
date `--DTC`; an event or intervention has its term or treatment and dates, and everything else goes to SUPP--. What
SDTM has no place for says why.
"""

import re
from dataclasses import dataclass
from typing import Any

from subjects.crf import CRF, StudyForm
from trial.answers import kind_of
from trial.item import Item, items
from trial.models import Person
from trial.text import T

Form = type[CRF] | type[StudyForm]
FINDINGS = frozenset("CP CV DA EG FA FT GF IE IS LB MB MI PC PP QS RE RP RS SC SS VS BS DD".split())
INTERVENTIONS = frozenset("CM EC EX PR".split())
EVENTS = frozenset("AE BE CE DS DV MH".split())
OPERATIONAL = T(
    "not submitted: operational, kept out of SDTM (delivered as operational data set and ODM)",
    "不递交:操作性数据,不进入SDTM(以操作数据集和ODM提供)",
)
STAFF = T("not submitted: names a person of the staff", "不递交:指明工作人员")
RELATED = "RELREC"
PARTS: dict[str, str] = {
    **{"qual": "ORRES", "unit": "ORRESU", "si": "STRESN", "lln": "ORNRLO", "uln": "ORNRHI", "cs": "CLSIG"},
}
"""The variable of each column of a laboratory result beside its value; the qualifier stands before the number."""

TESTS: dict[str, str] = {
    **{"wbc": "WBC", "anc": "NEUT", "alc": "LYM", "hgb": "HGB", "plt": "PLAT", "creatinine": "CREAT"},
    **{"creat": "CREAT", "alt": "ALT", "ast": "AST", "tbil": "BILI", "crp": "CRP", "ferritin": "FERRITIN"},
    **{"ldh": "LDH", "ddimer": "DDIMER", "d_dimer": "DDIMER", "fibrinogen": "FIBRINO", "il2": "INTLK2"},
    **{"il6": "INTLK6", "il8": "INTLK8", "il10": "INTLK10", "il15": "INTLK15", "ifng": "IFNG", "tnf": "TNF"},
    **{"gmcsf": "GMCSF", "hcg": "HCG", "temp_c": "TEMP", "pulse": "PULSE", "sbp": "SYSBP", "dbp": "DIABP"},
    **{
        "resp": "RESP",
        "spo2": "OXYSAT",
        "spo2_pct": "OXYSAT",
        "height": "HEIGHT",
        "weight": "WEIGHT",
        "bsa": "BSA",
        "lvef": "LVEF",
    },
    **{
        "dbil": "BILDIR",
        "albumin": "ALB",
        "uric_acid": "URATE",
        "glucose": "GLUC",
        "potassium": "K",
        "calcium": "CA",
    },
    **{
        "phosphate": "PHOS",
        "magnesium": "MG",
        "triglycerides": "TRIG",
        "monocytes": "MONO",
        "sil2r": "IL2SR",
    },
    **{"reticulocytes": "RETIRBC", "blast_pb_pct": "BLASTLE", "protein": "PROT", "blood": "OCCBLD"},
    **{"ifn_gamma": "IFNG", "tnf_alpha": "TNF", "cellularity": "CELLULAR", "blast_pct_flow": "BLASTCE"},
    **{"height_cm": "HEIGHT", "weight_kg": "WEIGHT", "resp_rate": "RESP", "ecog": "ECOG101"},
}
"""Test codes of CDISC controlled terminology by the item's short name; any other is the sponsor's own."""

CRITERION = re.compile(r"([ie])_(\d\d)")
CODES = ("EGHRMN",)
"""Test codes that begin as their domain does."""

SUBJECT: dict[str, str] = {
    **{
        "birth_date": "BRTHDTC",
        "sex": "SEX",
        "race": "RACE",
        "ethnic": "ETHNIC",
        "ethnic_group": "SUPPDM.ETHGRP",
    },
}


@dataclass(frozen=True)
class Names:
    """What a field is called outside. `submitted` is False where `sdtm` is the reason why not, in the active language."""

    cdash: str
    sdtm: str
    submitted: bool = True


def names_of(model: Form, name: str, meaning: Item) -> Names:
    """The names of one field of a form."""
    if meaning.part_of:
        return _part(model, name, meaning)
    column: Any = model._meta.get_field(name)
    link = column.related_model if kind_of(column) == "link" else None
    if meaning.sdtm:
        return Names(meaning.cdash or _collected(meaning.sdtm) or _cdash(model, name, column), meaning.sdtm)
    if not model.domain:
        return Names(meaning.cdash or sponsor(name), OPERATIONAL, submitted=False)
    cdash = meaning.cdash or _cdash(model, name, column)
    if link is Person:
        return Names(cdash, STAFF, submitted=False)
    stated = _as_collected(model.domain, meaning.cdash)
    return Names(cdash, stated or (RELATED if link else _sdtm(model, name, meaning)))


def _collected(sdtm: str) -> str:
    """The CDASH name that a stated SDTM name implies: TEST_--ORRES of a result, and any plain variable is its own."""
    result = re.match(r"([A-Z]{2})(?:ORRES|STRESN)\b.* where \1TESTCD = (\w+)$", sdtm)
    if result:
        return f"{result[2]}_{result[1]}ORRES"
    return sdtm if re.fullmatch(r"[A-Z]+", sdtm) and not sdtm.endswith("DTC") else ""


def _part(model: Form, name: str, meaning: Item) -> Names:
    """The names of one column of a laboratory result: it shares the test code of its value."""
    variable = model.domain + PARTS[name.removeprefix(f"{meaning.part_of}_")]
    code = test_code(model, f"{meaning.part_of}_value")
    units = f", {model.domain}STRESU" if variable.endswith("STRESN") else ""
    return Names(f"{code}_{variable}", f"{variable}{units} where {model.domain}TESTCD = {code}")


def _as_collected(domain: str, cdash: str) -> str:
    """The SDTM variable that a CDASH name already is, or whose date it is; "" when the name says less."""
    first = re.split(r"[^A-Z0-9_]+", cdash)[0]
    if not domain or not first.startswith(domain) or first.endswith(("ORRES", "YN", "OTH")) or first in CODES:
        return ""
    return re.sub(r"(DAT|TIM)$", "DTC", re.sub("ONGO$", "ENRTPT", first))


def _code_of(domain: str, cdash: str) -> str:
    """The test code that a CDASH name holds (TEMP_VSORRES, QTCFAG); "" when there is none."""
    found = re.match(rf"([A-Z0-9]{{1,8}})(_{domain}ORRES| ?\({domain}TESTCD\))?$", cdash)
    return found[1] if found and (found[2] or not found[1].startswith(domain) or found[1] in CODES) else ""


def sponsor(name: str) -> str:
    """A code of the sponsor's own: eight characters of the item's name."""
    plain = name.replace("_", "").upper()
    return plain if len(plain) <= 8 else plain[:5] + plain[-3:]


def _short(model: Form, name: str) -> str:
    short = name.removesuffix("_value")
    return short if short in model.analytes else name


def test_code(model: Form, name: str) -> str:
    """The code of the test that a finding's field holds: stated, of controlled terminology, or the sponsor's own."""
    short = _short(model, name)
    if model.domain == "IE" and (criterion := CRITERION.fullmatch(name)):
        return {"i": "INCL", "e": "EXCL"}[criterion[1]] + criterion[2]
    stated = _code_of(model.domain, items(model)[name].cdash)
    return stated or TESTS.get(short) or sponsor(short)


def _cdash(model: Form, name: str, column: Any) -> str:
    domain = model.domain
    if name == model.dated_by:
        start = "ST" if domain in INTERVENTIONS | EVENTS else ""
        return f"{domain}{start}DAT" + (f" / {domain}{start}TIM" if _timed(column) else "")
    if domain in FINDINGS and (domain != "IE" or CRITERION.fullmatch(name)):
        return f"{test_code(model, name)}_{domain}ORRES"
    return (
        SUBJECT.get(name, sponsor(name)).removeprefix("SUPPDM.")
        if domain == "DM"
        else f"{domain}{sponsor(name)}"[:8]
    )


def _timed(column: Any) -> bool:
    return kind_of(column) in ("moment", "partial_moment")


def _sdtm(model: Form, name: str, meaning: Item) -> str:
    domain = model.domain
    if name == model.dated_by:
        return f"{domain}{'ST' if domain in INTERVENTIONS | EVENTS | {'SV'} else ''}DTC"
    if domain == "DM":
        return SUBJECT.get(name, f"SUPPDM.{sponsor(name)}")
    if domain in FINDINGS and (domain != "IE" or CRITERION.fullmatch(name)):
        unit = f", {domain}ORRESU" if meaning.unit or _short(model, name) != name else ""
        result = f"{domain}STRESN ({domain}DRVFL = Y)" if meaning.calc else f"{domain}ORRES{unit}"
        return f"{result} where {domain}TESTCD = {test_code(model, name)}"
    ends = {"end_date": "ENDTC", "end_dt": "ENDTC"}
    return f"{domain}{ends[name]}" if name in ends else f"SUPP{domain}.{sponsor(name)}"
