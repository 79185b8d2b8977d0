"""What the registry record leaves open, how it is read here, what else it could mean, and which setting switches it.

A reading is ours until somebody who may decide has approved it; until then every verdict that rests on it is shown
as provisional. A changed reading gets a new `version`, and earlier approvals no longer count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from trial.text import T

Words = tuple[str, str]


@dataclass(frozen=True)
class Reading:
    """One open sentence. `key` is the number or choice of the protocol version that switches the reading, "" for none;
    `criteria`, `rules` and `derivations` rest on it."""

    id: str
    sentence: str
    where: str
    question: Words
    chosen: Words
    others: tuple[Words, ...]
    key: str = ""
    criteria: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    derivations: tuple[str, ...] = ()
    version: int = 1

    @property
    def asks(self) -> str:
        """What is open, in the active language."""
        return T(*self.question)

    @property
    def reading(self) -> str:
        """How it is read here, in the active language."""
        return T(*self.chosen)

    @property
    def alternatives(self) -> list[str]:
        """What else it could mean, in the active language."""
        return [T(*one) for one in self.others]

    @property
    def digest(self) -> str:
        """SHA-256 over everything an approval approves."""
        told = (self.id, str(self.version), self.sentence, *self.question, *self.chosen, self.key)
        return sha256("\n".join(told).encode()).hexdigest()


READINGS: tuple[Reading, ...] = (
    Reading(
        "AR-01",
        "(2)Any BM relapse after allogeneic SCT and must be ≥ 3 months from SCT at the time of ssCART-19 infusion OR",
        "I-01",
        ("Does the interval bind only limb (2), or whoever had an allogeneic transplant?",
         "3 个月间隔仅约束第(2)款,还是约束所有接受过异基因移植者?"),
        ("It binds whoever had an allogeneic transplant, by whichever limb the subject enters.",
         "约束所有接受过异基因移植者,不论依据哪一款入选。"),
        (("Literally: limb (2) alone.", "按字面:仅第(2)款。"),),
        "sct_gap_all_limbs", ("I-01",), ("DV-01",),
    ),
    Reading(
        "AR-02",
        "must be ≥ 3 months from SCT at the time of ssCART-19 infusion",
        "I-01",
        ("Calendar months or 90 days, and does the day itself suffice?", "按日历月还是 90 天?恰满当日是否足够?"),
        ("Three calendar months to the day of infusion; exactly three suffice; a month's end clamps. A date known in part "
         "decides only when every day it could be decides alike.",
         "按日历月计至回输日,恰满 3 个月即可,月末取该月最后一日。日期不完整时,仅当所有可能日期结论一致才作判定。"),
        (("90 days.", "90 天。"), ("More than three months.", "必须超过 3 个月。")),
        "sct_gap_months", ("I-01",), ("DV-01",),
    ),
    Reading(
        "AR-03",
        "(4)Patients with Ph+ ALL are eligible if they are intolerant to or have failed two lines of TKI therapy",
        "I-01",
        ("One more way in, or a condition on every Ph-positive subject?", "是另一入选途径,还是对所有 Ph 阳性者的附加条件?"),
        ("One more way in; a Ph-positive subject without it is asked about.", "另一入选途径;Ph 阳性而不满足此款者将提出询问。"),
        (("Required of every Ph-positive subject.", "要求所有 Ph 阳性者满足。"),),
        "ph_restrictive", ("I-01",),
    ),
    Reading(
        "AR-04",
        "CD19 tumor expression demonstrated in bone marrow or peripheral blood by flow cytometry",
        "I-02",
        ("From which share of blasts on is CD19 demonstrated?", "多大比例的原始细胞表达 CD19 才算证实?"),
        ("As the laboratory reports it, without a limit; a positive result on few blasts is asked about.",
         "以实验室报告为准,不设比例下限;阳性比例低时提出询问。"),
        (("A limit of its own, for example 20 %.", "另设下限,例如 20%。"),),
        "cd19_ask_below_pct", ("I-02",),
    ),
    Reading(
        "AR-05",
        "ALT and AST≤3 times the ULN for age",
        "I-04",
        ("Whose upper limit of normal?", "采用哪一参考上限?"),
        ("The laboratory's limit for the date of the sample, sex and age, kept with the result.",
         "采用该实验室在采样日期、性别、年龄下的参考上限,并随结果保存。"),
        (("One limit for the whole study.", "全研究统一上限。"),),
        "", ("I-04",), ("DV-14",),
    ),
    Reading(
        "AR-06",
        "Age 18 to 65",
        "I-06",
        ("On which day, and to which birthday?", "以哪一天为准?上限至哪个生日?"),
        ("Completed years on the day of consent, up to the day before the 66th birthday. Who is born on 29 February has "
         "the birthday on 1 March of a common year.",
         "以签署知情同意当日的周岁计,至 66 岁生日前一日。2 月 29 日出生者,平年以 3 月 1 日为生日。"),
        (("On the day of infusion.", "以回输当日为准。"), ("Up to the 65th birthday.", "至 65 岁生日。")),
        "", ("I-06",), ("DV-08",), ("age",),
    ),
    Reading(
        "AR-07",
        "agree to use contraceptive measures throughout the study period",
        "I-07",
        ("Until when?", "避孕至何时?"),
        ("Until 12 months after the infusion.", "至回输后 12 个月。"),
        (("As long as follow-up lasts.", "至随访结束。"),),
        "contraception_months", ("I-07",),
    ),
    Reading(
        "AR-08",
        "Qualified T cell amplification",
        "I-08",
        ("When can this be known, and who says it?", "何时可知,由谁判定?"),
        ("The laboratory says it from the apheresis material; awaited until lymphodepletion and required from then on.",
         "由实验室依据单采物判定;清淋前允许待定,清淋起必须满足。"),
        (("A small-scale test at screening.", "筛选时的小规模试验。"),),
        "unknown_allowed_before", ("I-08",), ("DV-06",),
    ),
    Reading(
        "AR-09",
        "Combined with other malignant tumors",
        "E-02",
        ("At the same time, or ever?", "同时合并,还是曾经患有?"),
        ("At the same time; one that is past does not exclude and is asked about.", "指同时合并;既往恶性肿瘤不排除,但提出询问。"),
        (("Ever.", "曾经患有即排除。"),),
        "", ("E-02",),
    ),
    Reading(
        "AR-10",
        "Has had treatment with any prior anti-CD19/anti-CD3 therapy, or any other antiCD19 therapy",
        "E-03",
        ("Both targets at once, or either; and within which time?", "须同时针对两个靶点,还是任一?有无时间限制?"),
        ("Either target, however long ago.", "任一靶点,不限时间。"),
        (("Bispecific antibodies against both only.", "仅限双靶点双特异性抗体。"),),
        "excluded_antigens", ("E-03",), ("DV-16",),
    ),
    Reading(
        "AR-11",
        "Has had immunosuppressants or hormones within 2 weeks before signing informed consent",
        "E-04",
        ("Which hormones?", "“激素”指哪些?"),
        ("Glucocorticoids, as the Chinese word means; other hormones do not count.", "指糖皮质激素;其他激素不计。"),
        (("Every hormone.", "所有激素。"),),
        "immunosuppressants", ("E-04",), ("DV-17", "DV-26", "DV-28"),
    ),
    Reading(
        "AR-12",
        "Has had immunosuppressants or hormones within 2 weeks before signing informed consent",
        "E-04",
        ("Are topical, inhaled or replacement doses exempt?", "局部、吸入或替代剂量是否豁免?"),
        ("No: none is named.", "不豁免:未列明。"),
        (("Topical, inhaled, and replacement up to 10 mg prednisone a day are exempt.",
          "局部、吸入及每日不超过 10 mg 泼尼松等效替代剂量豁免。"),),
        "steroid_exemptions", ("E-04",), ("DV-17", "DV-26", "DV-28"),
    ),
    Reading(
        "AR-13",
        "EBV-DNA, and CMV-DNA copies being more than the lower limit of detection",
        "E-05",
        ("Both viruses, or either?", "两者同时,还是任一?"),
        ("Either one excludes.", "任一即排除。"),
        (("Only both together.", "仅两者同时。"),),
        "", ("E-05",), ("DV-18",),
    ),
    Reading(
        "AR-14",
        "HBV-DNA copies being more than the lower limit of detection",
        "E-05",
        ("Does “detected, below quantification” exceed the limit of detection?", "“检出但低于定量下限”是否算高于检测下限?"),
        ("Yes: the limit named is that of detection.", "是:原文所指为检测下限。"),
        (("No: only what can be quantified.", "否:仅计可定量者。"),),
        "dna_above_detection", ("E-05",), ("DV-18",),
    ),
    Reading(
        "AR-15",
        "hepatitis B e antibody (HBe-Ab) and/or hepatitis B core antibody (HBc-Ab) positive and HBV-DNA copies",
        "E-05",
        ("What of HBV DNA without any of the antibodies?", "抗体均阴性而 HBV-DNA 检出时如何处理?"),
        ("It does not exclude by itself and is asked about.", "本身不排除,但提出询问。"),
        (("It excludes.", "即排除。"),),
        "", ("E-05",), ("DV-18",),
    ),
    Reading(
        "AR-16",
        "Has past or present CNS diseases, such as epilepsy, cerebrovascular ischemia/hemorrhage",
        "E-09",
        ("Is leukaemia in the CNS a CNS disease here?", "中枢神经系统白血病是否属于此处所指疾病?"),
        ("No: it is not named. It is asked about.", "否:未列明,提出询问。"),
        (("Yes: it excludes.", "是:即排除。"),),
        "cns_leukaemia_excludes", ("E-09",),
    ),
    Reading(
        "AR-17",
        "Has undergone cardiac angioplasty or stent implantation within 12 months before signing informed consent, or "
        "having a history of myocardial infarction",
        "E-10",
        ("What do the 12 months limit?", "12 个月限定哪些情况?"),
        ("Angioplasty and stents alone; infarction, angina and other heart disease have no time limit.",
         "仅限血管成形或支架;心肌梗死、心绞痛及其他心脏病不限时间。"),
        (("All of them.", "限定全部。"),),
        "cardiac_window_months", ("E-10",), ("DV-19",),
    ),
    Reading(
        "AR-18",
        "Has had severe immediate hypersensitivity reaction to any drug to be used in this study",
        "E-12",
        ("Which drugs?", "指哪些药物?"),
        ("Fludarabine, cyclophosphamide, tocilizumab, DMSO, albumin, and whatever else the study uses.",
         "氟达拉滨、环磷酰胺、托珠单抗、DMSO、白蛋白及本研究所用其他药物。"),
        (("The two drugs that the record names.", "仅注册信息列明的两种药物。"),),
        "study_drug_allergens", ("E-12",),
    ),
    Reading(
        "AR-19",
        "Has had treat with live vaccine within 6 weeks prior to screening",
        "E-13",
        ("Which day is screening?", "“筛选”以哪一天为准?"),
        ("The day of the first screening procedure after consent; without one, consent.", "知情同意后首次筛选操作之日;无则为知情同意日。"),
        (("The day of consent.", "知情同意日。"),),
        "live_vaccine_days", ("E-13",), ("DV-20",),
    ),
    Reading(
        "AR-20",
        "Pregnant or lactating women",
        "E-14",
        ("How old may a negative test be?", "阴性检测结果的有效期?"),
        ("Seven days; without one the answer is not known.", "7 天;无有效检测则不能判定。"),
        (("As old as screening allows.", "以筛选期为限。"),),
        "pregnancy_test_days", ("E-14",), ("DV-21",),
    ),
    Reading(
        "AR-21",
        "Patient has an investigational medicinal product within 3 months before signing informed consent",
        "E-17",
        ("Does the day exactly three months before count?", "恰为 3 个月前当日是否计入?"),
        ("Yes. Every such window counts both of its ends.", "计入。所有此类时间窗均含两端。"),
        (("No.", "不计入。"),),
        "imp_washout_months", ("E-04", "E-10", "E-13", "E-17"), ("DV-17", "DV-19", "DV-20", "DV-22"),
    ),
    Reading(
        "AR-22",
        "Inclusion criteria; Exclusion criteria",
        "I-01 – E-18",
        ("At which milestones is each criterion asked again, and how old may an assessment be?", "各标准在哪些节点复核?检查结果的有效期?"),
        ("As the re-check matrix and the ages per form of the protocol version say.", "按方案版本中的复核矩阵及各表单有效期。"),
        (("Once, at screening.", "仅筛选时一次。"),),
        "recheck", ("I-03", "I-04", "I-05", "I-07", "I-09", "E-06", "E-07", "E-15", "E-16", "E-18"),
        ("DV-06", "DV-07", "DV-12", "DV-13", "DV-14", "DV-15", "DV-24"),
    ),
    Reading(
        "AR-23",
        "Lymphodepletion will be conducted several days prior to ssCART-19 cells infusion.",
        "Arm",
        ("On which days, and how long before?", "在哪几天?提前多久?"),
        ("Days -5 to -3; the infusion follows 2 to 7 days after the last dose.", "第 -5 至 -3 天;末次给药后 2 至 7 天回输。"),
        (("Any days before the infusion.", "回输前任意几天。"),),
        "ld_to_infusion_days", (), ("DV-31",),
    ),
    Reading(
        "AR-24",
        "A combination of fludarabine and cyclophosphamide will be used for lymphodepletion.",
        "Arm",
        ("Which doses?", "剂量是多少?"),
        ("Fludarabine 30 and cyclophosphamide 300 mg/m2 a day, as an illustration.", "示例:氟达拉滨每日 30 mg/m2,环磷酰胺每日 300 mg/m2。"),
        (("Whatever the physician orders.", "由医师决定。"),),
        "ld_mg_m2", (), ("DV-30", "DV-32"), ("ld_dose",),
    ),
    Reading(
        "AR-25",
        "Overall remission rate (ORR) assessment during the 3 months after ssCART-19 administration",
        "Objective 2",
        ("Until which day, and out of whom?", "评估截至哪一天?分母是谁?"),
        ("Up to three months and 7 days after infusion; out of all infused, those not evaluable as non-responders.",
         "至回输后 3 个月加 7 天;分母为所有回输者,不可评估者按无缓解计。"),
        (("To the day of three months.", "至满 3 个月当日。"), ("Out of those evaluable.", "分母为可评估者。")),
        "orr_grace_days", (), (), ("best_response",),
    ),
    Reading(
        "AR-26",
        "Progression-free survival (PFS)",
        "Objective 2",
        ("Is a missing response an event, and does a transplant in remission end the observation?", "无缓解是否为事件?缓解期移植是否删失?"),
        ("No and no: progression, relapse or death are the events.", "均否:事件为进展、复发或死亡。"),
        (("No response at month 3 is an event.", "第 3 个月无缓解即为事件。"), ("Censored at the transplant.", "移植时删失。")),
        "nr_is_pfs_event", (), (), ("pfs",),
    ),
    Reading(
        "AR-27",
        "dose-escalation, phase I study to determine the safety and efficacy of ssCART-19",
        "About",
        ("By which rule, and over how many days does a toxicity count?", "采用何种递增规则?毒性观察期多长?"),
        ("Three plus three; 28 days.", "3+3 设计;28 天。"),
        (("A model-assisted or model-based design.", "模型辅助或基于模型的设计。"), ("Another window.", "其他观察期。")),
        "dlt_window_days", (), ("DV-47", "DV-49", "DV-50"), ("dlt_window",),
    ),
)  # fmt: skip
BY_ID: dict[str, Reading] = {one.id: one for one in READINGS}


RESTING: tuple[str, ...] = tuple(
    sorted({name for one in READINGS for name in (*one.criteria, *one.rules, *one.derivations)})
)
"""Everything that rests on a reading: criteria, rules, derivations by their names."""


def readings_of(what: str) -> list[Reading]:
    """The readings that a criterion ("I-01", "I-04b"), a rule ("DV-01") or a derivation ("pfs") rests on."""
    name = what[:4] if what[:2] in ("I-", "E-") else what
    return [one for one in READINGS if name in (*one.criteria, *one.rules, *one.derivations)]


def named_by(rule_id: str, key: str) -> tuple[str, ...]:
    """What a finding rests on: its rule, and the criterion that its key names ("criterion:I-01")."""
    kind, _, rest = key.partition(":")
    return (rule_id, rest[:4]) if kind == "criterion" else (rule_id,)


def open_for(provisional: Mapping[str, list[str]], rests_on: Sequence[str]) -> list[str]:
    """The readings that something rests on (a rule, a criterion) and nobody has approved; `provisional` lists them all."""
    return list(dict.fromkeys(one for name in rests_on for one in provisional.get(name, ())))
