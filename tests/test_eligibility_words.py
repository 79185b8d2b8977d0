"""What each criterion asks, in both languages and with the numbers of the protocol; and what it asks about beside."""

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from django.utils import translation

from safety.eligibility import facts
from safety.eligibility.decision import judges
from safety.eligibility.evaluate import JUDGES, evaluate_criterion
from safety.eligibility.facts import WORDING, Screening, Source, Wording
from safety.eligibility.inclusion import enters_otherwise, sct_interval, tki_limb
from subjects.codelists import SEX
from tests.test_eligibility_criteria import NOTHING, PH, SCT, amended, eligible
from trial.dates import Span
from trial.logic import Verdict
from trial.protocol import V1, Protocol

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
JUDGEMENT = ("investigator's judgement", "由研究者判断")

LIMITS = {
    "I-01": (
        "one of limbs (1) to (4); ≥ 3 months from allogeneic SCT",
        "符合(1)至(4)之一;距异基因移植≥3个月",
    ),
    "I-02": (
        "positive by flow cytometry in bone marrow or peripheral blood",
        "骨髓或外周血流式细胞术阳性",
    ),
    "I-03": ("≥ 5 %", "≥ 5 %"),
    "I-04a": ("≥ 50 % (echocardiogram)", "≥ 50 %(超声心动图)"),
    "I-04b": ("≤ 1.6 mg/dL (141.44 umol/L)", "≤ 1.6 mg/dL (141.44 umol/L)"),
    "I-04c": (
        "ALT, AST ≤ 3 × ULN; bilirubin ≤ 2.0 mg/dL (34.2 umol/L)",
        "ALT、AST ≤ 3 × ULN;总胆红素 ≤ 2.0 mg/dL (34.2 umol/L)",
    ),
    "I-04d": ("dyspnoea ≤ grade 1; SpO2 > 91 % on room air", "呼吸困难≤1级;未吸氧时SpO2>91 %"),
    "I-06": ("18 to 65 years at consent", "签署知情同意时18至65岁"),
    "I-07": (
        "infertile, or agrees to contraception until 12 months after the infusion and names a method",
        "无生育能力,或同意避孕至回输后 12 个月并填写避孕方法",
    ),
    "I-08": ("Qualified", "合格"),
    "I-09": ("0 – 1", "0 – 1"),
    "I-10": JUDGEMENT,
    "I-11": ("> 3 months; investigator's judgement", "大于3个月;由研究者判断"),
    "E-01": ("Isolated extramedullary relapse", "孤立性髓外复发"),
    "E-03": ("any prior therapy against CD19 or CD3", "曾接受针对CD19或CD3的治疗"),
    "E-04": ("within 14 days before consent, or planned", "签署知情同意前14天内使用,或计划使用"),
    "E-06": JUDGEMENT,
    "E-10": (
        "angioplasty or stent within 12 months before consent; others ever",
        "签署知情同意前12个月内血管成形或支架;其他不限时间",
    ),
    "E-12": (
        "fludarabine, cyclophosphamide, tocilizumab, dimethyl sulfoxide, albumin, other study drug",
        "氟达拉滨、环磷酰胺、托珠单抗、二甲基亚砜（DMSO）、白蛋白、其他研究用药",
    ),
    "E-13": ("within 42 days before screening", "筛选前42天内"),
    "E-17": ("within 3 months before consent", "签署知情同意前3个月内"),
    "E-18": JUDGEMENT,
}


@pytest.mark.parametrize(("criterion", "words"), LIMITS.items())
def test_what_a_criterion_asks(criterion: str, words: tuple[str, str]) -> None:
    assert JUDGES[criterion].limit(V1) == words
    decision = evaluate_criterion(criterion, eligible(), V1)
    assert decision.limit == words
    assert f"Asked: {words[0]}" in decision.en and f"要求: {words[1]}" in decision.zh


def test_the_organs_are_asked_for_together() -> None:
    parts = [LIMITS[f"I-04{one}"] for one in "abcd"]
    assert JUDGES["I-04"].limit(V1) == (
        "; ".join(en for en, _ in parts),
        ";".join(zh for _, zh in parts),
    )


@pytest.mark.parametrize(
    ("setting", "criterion", "words"),
    [
        ({"sct_gap_months": 6}, "I-01", "≥ 6 months"),
        ({"blasts_min_pct": D(10)}, "I-03", "≥ 10 %"),
        ({"creatinine_max_mg_dl": D("1.5")}, "I-04b", "≤ 1.5 mg/dL (132.6 umol/L)"),
        ({"age_max": 70}, "I-06", "18 to 70 years"),
        ({"ecog_max": 2}, "I-09", "0 – 2"),
        ({"steroid_washout_days": 7}, "E-04", "within 7 days"),
        ({"live_vaccine_days": 28}, "E-13", "within 28 days"),
    ],
)
def test_what_is_asked_follows_the_protocol(setting: dict[str, Any], criterion: str, words: str) -> None:
    assert words in JUDGES[criterion].limit(amended(**setting))[0]


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, MET),  # relapse after first remission
        ({**NOTHING, **SCT}, NOT_MET),  # by the marrow relapse after a transplant alone
        (PH, NOT_MET),
        ({**PH, "tki_lines_failed": 2}, MET),
        ({**NOTHING, "refractory_primary": "YES", "induction_cycles": 2}, MET),
        ({**NOTHING, "refractory_primary": "YES", "induction_cycles": 1}, NOT_MET),
        ({"relapse_after_first_remission": None}, UNKNOWN),
    ],
)
def test_who_enters_by_another_limb_than_a_transplant(facts: dict[str, Any], verdict: Verdict) -> None:
    assert enters_otherwise(eligible(**facts), V1) is verdict


def test_limbs_are_told_apart() -> None:
    after = eligible(**SCT)
    assert sct_interval(after, V1) is MET and tki_limb(after, V1) is NOT_MET
    assert tki_limb(eligible(**{**PH, "tki_lines_failed": 2}), V1) is MET


@pytest.mark.parametrize(
    ("share", "asked"),
    [(D("19.9"), True), (D(20), False), (D("20.1"), False), (None, False)],
)
def test_a_small_share_of_cd19_is_asked_about(share: D | None, asked: bool) -> None:
    note = evaluate_criterion("I-02", eligible(cd19_pct_blasts=share), V1).note
    assert note == (
        ("Positive on 19.9 % of blasts, under 20 %.", "CD19阳性比例仅19.9%,低于20%。") if asked else None
    )
    assert evaluate_criterion("I-02", eligible(cd19_result="NEGATIVE", cd19_pct_blasts=D(1)), V1).note is None


@pytest.mark.parametrize(
    ("birth", "verdict"),
    [
        ("2008", UNKNOWN),  # 17 or 18 on 15 May 2026
        ("2008-05", UNKNOWN),
        ("2008-04", MET),
        ("2008-06", NOT_MET),
        ("1960-05", UNKNOWN),  # 65 or 66
        ("1960-06", MET),
        ("1960-04", NOT_MET),
    ],
)
def test_the_age_of_a_birth_date_known_in_part(birth: str, verdict: Verdict) -> None:
    assert evaluate_criterion("I-06", eligible(birth_date=birth), V1).verdict is verdict


@pytest.mark.parametrize(
    ("criterion", "facts", "english", "chinese"),
    [
        (
            "I-01",
            {**SCT, "infusion_date": None},
            "Earliest permissible infusion date: 2026-06-20",
            "最早可回输日期:2026-06-20",
        ),
        (
            "I-01",
            {**SCT, "last_allo_sct_date": "2026-03", "infusion_date": "2026-06-29"},
            "Earliest permissible infusion date: 2026-06-30",  # after every day of March
            "最早可回输日期:2026-06-30",
        ),
        (
            "I-01",
            {"ph_positive": "YES"},
            "Ph-positive without exhausted TKI therapy. Confirm that another limb was meant.",
            "Ph阳性但TKI治疗未用尽。请确认依据其他条款入选。",
        ),
        (
            "E-06",
            {"fever_c": D("38.2"), "infection_grade": 3},
            "Answered with no uncontrolled infection, but there is 38.2 °C within 72 hours and an infection of"
            " grade 3 that goes on. Confirm.",
            "回答为无未控制的感染,但有72 小时内体温 38.2 °C、3 级感染持续。请确认。",
        ),
    ],
)
def test_what_is_asked_about_beside_in_both_languages(
    criterion: str, facts: dict[str, Any], english: str, chinese: str
) -> None:
    assert evaluate_criterion(criterion, eligible(**facts), V1).note == (english, chinese)


def test_a_transplant_long_ago_leaves_room_for_the_other_note() -> None:
    assert evaluate_criterion("I-01", eligible(**SCT), V1).note is None
    note = evaluate_criterion("I-01", eligible(**SCT, ph_positive="YES"), V1).note
    assert note is not None and note[0].startswith("Ph-positive")


SENTENCES: list[tuple[str, dict[str, Any], str, str, list[str]]] = [
    ("I-09", {"ecog": 2}, "Not met: ECOG 2; Asked: 0 – 1.", "不符合: ECOG评分 2;要求: 0 – 1。", ["2"]),
    (
        "E-03",
        {"prior_antigens": ("CD22", "CD3")},
        "Exclusion present: Antigens of prior therapy CD22, CD3, Prior therapy complete Yes; Asked: any prior "
        "therapy against CD19 or CD3.",
        "存在排除情况: 既往治疗靶抗原 CD22、CD3, 既往治疗记录完整 是;要求: 曾接受针对CD19或CD3的治疗。",
        ["CD22, CD3", "True"],
    ),
    (
        "E-03",
        {},
        "Exclusion not present: Antigens of prior therapy —, Prior therapy complete Yes; Asked: any prior "
        "therapy against CD19 or CD3.",
        "不存在排除情况: 既往治疗靶抗原 —, 既往治疗记录完整 是;要求: 曾接受针对CD19或CD3的治疗。",
        ["—", "True"],
    ),
    (
        "E-15",
        {"autoimmune_active": "UNKNOWN", "lacking": {"autoimmune_active": ("missing", "缺失")}},
        "Cannot be told; Asked: active at consent; Not known: Autoimmune disease active (missing).",
        "不能判定;要求: 签署知情同意时活动;缺少: 自身免疫病活动 (缺失)。",
        [],
    ),
    (
        "E-15",
        {"autoimmune_active": ""},
        "Cannot be told; Asked: active at consent; Not known: Autoimmune disease active.",
        "不能判定;要求: 签署知情同意时活动;缺少: 自身免疫病活动。",
        [],
    ),
    (
        "I-04d",
        {"room_air": False},
        "Cannot be told: Dyspnoea grade 0, SpO2 98 %, On room air No; Asked: dyspnoea ≤ grade 1; SpO2 > 91 % "
        "on room air.",
        "不能判定: 呼吸困难分级 0, 血氧饱和度 98 %, 未吸氧 否;要求: 呼吸困难≤1级;未吸氧时SpO2>91 %。",
        ["0", "98", "False"],
    ),
    (  # what is not known is named only where nothing can be told
        "I-04d",
        {"room_air": None, "dyspnea_grade": 3},
        "Not met: Dyspnoea grade 3, SpO2 98 %; Asked: dyspnoea ≤ grade 1; SpO2 > 91 % on room air.",
        "不符合: 呼吸困难分级 3, 血氧饱和度 98 %;要求: 呼吸困难≤1级;未吸氧时SpO2>91 %。",
        ["3", "98"],
    ),
    (
        "I-03",
        {"sources": {"bm_blast_pct_morph": Source("bone_marrow", None, "blast_pct_morph", "2026-05-18")}},
        "Met: Marrow lymphoblasts by morphology 60 % (2026-05-18); Asked: ≥ 5 %.",
        "符合: 骨髓形态学原始淋巴细胞 60 % (2026-05-18);要求: ≥ 5 %。",
        ["60"],
    ),
    (  # a day is not told twice
        "I-06",
        {"sources": {"icf": Source("informed_consent", None, "icf", "2026-05-15")}},
        "Met: Date of birth 1986-03-02, Consent 2026-05-15; Asked: 18 to 65 years at consent.",
        "符合: 出生日期 1986-03-02, 签署知情同意日期 2026-05-15;要求: 签署知情同意时18至65岁。",
        ["1986-03-02", "2026-05-15"],
    ),
]


@pytest.mark.parametrize(("criterion", "facts", "english", "chinese", "evidence"), SENTENCES)
def test_the_sentence_of_a_decision(
    criterion: str, facts: dict[str, Any], english: str, chinese: str, evidence: list[str]
) -> None:
    decision = evaluate_criterion(criterion, eligible(**facts), V1)
    assert (decision.en, decision.zh) == (english, chinese)
    assert [fact.value for fact in decision.evidence] == evidence
    assert set(decision.lacking) == {name for name in facts if facts[name] in (None, "", "UNKNOWN")}


def test_the_reason_is_in_the_language_of_the_reader() -> None:
    decision = evaluate_criterion("I-09", eligible(), V1)
    with translation.override("en"):
        assert decision.reason == "Met: ECOG 1; Asked: 0 – 1."
    with translation.override("zh-hans"):
        assert decision.reason == "符合: ECOG评分 1;要求: 0 – 1。"


def test_a_judge_is_made_of_a_function_and_of_what_it_looks_at() -> None:
    def check(facts: Screening, protocol: Protocol) -> Verdict:
        """As it is read."""
        return MET

    def limit(protocol: Protocol) -> tuple[str, str]:
        return ("any", "任何")

    part = judges("I-04a", "lvef_pct", "ecog", limit=limit)(check)
    other = judges("I-04b", "ecog", "alt", limit=limit)(check)
    assert (part.id, part.uses, part.text, part.parts) == (
        "I-04a",
        ("lvef_pct", "ecog"),
        "As it is read.",
        (),
    )
    whole = judges("I-04", limit=limit, parts=(part, other))(check)
    assert whole.uses == ("lvef_pct", "ecog", "alt") and whole.parts == (part, other)
    assert whole(eligible(), V1).criterion == "I-04"
    with pytest.raises(KeyError):
        judges("X-01", "ecog", limit=limit)


def test_a_fact_is_declared_with_its_words_unit_and_codes() -> None:
    made = facts._fact("Sex", "性别", "", "F", SEX)
    assert made.default == "F"
    assert dict(made.metadata) == {"en": "Sex", "zh": "性别", "unit": "", "codes": SEX}
    assert WORDING["sex"] == Wording("Sex", "性别", "", SEX) and WORDING["alt"].unit == "U/L"
    assert not {"sources", "lacking"} & set(WORDING)


def test_a_fact_without_a_row_is_named_by_itself() -> None:
    found = evaluate_criterion("I-06", eligible(sources={"icf": Source("informed_consent", None, "icf")}), V1)
    assert [(fact.form, fact.record, fact.field) for fact in found.evidence] == [
        ("", None, "birth_date"),
        ("informed_consent", None, "icf"),
    ]


def test_the_days_of_several_stents_are_told_apart() -> None:
    may = (Span(date(2025, 1, 1), date(2025, 1, 31)), "2026-01-02")
    decision = evaluate_criterion("E-10", eligible(angioplasty_dates=may), V1)
    assert "on 2025-01-01 – 2025-01-31, 2026-01-02, Consent" in decision.en
    assert "日期 2025-01-01 – 2025-01-31、2026-01-02, 签署" in decision.zh
    assert decision.evidence[0].value == "2025-01-01 – 2025-01-31, 2026-01-02"
