"""What was done to the subject and what else the subject had before this study."""

from collections.abc import Iterator

from subjects.codelists import (
    ALLERGEN_CLASS,
    BEST_RESPONSE,
    CARDIAC_SUBTYPE,
    CGVHD,
    CNS_SUBTYPE,
    CONDITIONING,
    DONOR_TYPE,
    MH_CATEGORY,
    MH_SUBTYPE,
    PRIOR_THERAPY_CATEGORY,
    REACTION_TYPE,
    SCT_TYPE,
    TARGET_ANTIGEN,
    TKI_NAME,
    TKI_OUTCOME,
)
from subjects.crf import CRF
from trial.codes import YES_NO_UNKNOWN
from trial.findings import Doubt, Problem
from trial.item import code, codes_many, partial_day, text, whole, yes_no
from trial.text import T, both

ALLO = {"sct_type": ("ALLO",)}
TARGETED = {"category": ("BLINATUMOMAB", "INOTUZUMAB", "CAR_T", "OTHER_MAB", "IMP")}
TKI = {"category": ("TKI",)}
ALLERGY = {"category": ("ALLERGY",)}
BINDS = {"BLINATUMOMAB": {"CD19", "CD3"}, "INOTUZUMAB": {"CD22"}}
SUBTYPES = {"CNS": CNS_SUBTYPE.codes, "CARDIAC": CARDIAC_SUBTYPE.codes}


def _listed(codes: set[str]) -> str:
    """Codes in one line, always in the same order."""
    return ", ".join(sorted(codes))


class PriorTransplant(CRF):
    """One stem cell transplant. Registry I-01(2): three months from an allogeneic one to the infusion."""

    form = "prior_transplant"
    domain = "PR"
    repeats = "log"
    dated_by = "sct_date"

    sct_date = partial_day(
        en="Day of stem cell infusion",
        zh="干细胞回输日期",
        cdash="PRSTDAT",
        note=T(
            "The whole date is needed before an infusion of ssCART-19 can be approved.",
            "批准ssCART-19回输前须补全年月日。",
        ),
        required=True,
    )
    sct_type = code(SCT_TYPE, en="Type of transplant", zh="移植类型", cdash="PRTRT", required=True)
    donor_type = code(DONOR_TYPE, en="Donor", zh="供者类型", when=ALLO, required=True)
    conditioning = code(CONDITIONING, en="Conditioning", zh="预处理方案")
    bm_relapse_after_sct = code(
        YES_NO_UNKNOWN,
        en="Marrow relapse after the transplant",
        zh="移植后骨髓复发",
        when=ALLO,
        required=True,
    )
    relapse_after_sct_date = partial_day(
        en="Date of relapse after the transplant",
        zh="移植后复发日期",
        strictly_after="sct_date",
        when={**ALLO, "bm_relapse_after_sct": ("YES",)},
        required=True,
    )
    agvhd_max_grade = whole(
        en="Acute GVHD, highest grade", zh="急性GVHD最高分级", hard=(0, 4), when=ALLO, required=True
    )
    cgvhd_max = code(CGVHD, en="Chronic GVHD, worst", zh="慢性GVHD最重程度", when=ALLO, required=True)
    gvhd_active_at_consent = code(
        YES_NO_UNKNOWN, en="GVHD active at consent", zh="签署知情同意时GVHD活动", when=ALLO, required=True
    )
    is_prophylaxis_stop_date = partial_day(
        en="Immunosuppressive prophylaxis stopped on", zh="免疫抑制预防停药日期", when=ALLO, required=True
    )
    dli_last_date = partial_day(
        en="Last donor lymphocyte infusion",
        zh="末次供者淋巴细胞输注日期",
        strictly_after="sct_date",
        when=ALLO,
    )

    class Meta(CRF.Meta):
        verbose_name = T("Prior transplant", "既往造血干细胞移植")

    def doubts(self) -> Iterator[Doubt]:
        """GVHD can hardly be active that never was."""
        if self.gvhd_active_at_consent == "YES" and self.agvhd_max_grade == 0 and self.cgvhd_max == "NONE":
            yield Doubt(
                "gvhd_active_at_consent",
                "prior_transplant.active_gvhd_without_gvhd",
                T(
                    "GVHD is answered as active, yet acute grade 0 and no chronic GVHD are recorded. "
                    "Check the grades.",
                    "GVHD记录为活动，但急性GVHD为0级且无慢性GVHD。请核对分级。",
                ),
                value="YES",
            )


class PriorTherapy(CRF):
    """One earlier treatment of the leukaemia. Registry E-03 reads its targets, E-17 its status."""

    form = "prior_therapy"
    domain = "CM"
    repeats = "log"
    dated_by = "start_date"

    line_no = whole(en="Line of therapy", zh="治疗线数", hard=(1, 15), required=True)
    regimen = text(en="Regimen", zh="治疗方案", cdash="CMTRT", required=True)
    category = code(PRIOR_THERAPY_CATEGORY, en="Category", zh="类别", cdash="CMSCAT", required=True)
    target_antigens = codes_many(
        TARGET_ANTIGEN, en="Target antigens", zh="靶抗原", when=TARGETED, required=True
    )
    tki_name = code(TKI_NAME, en="TKI", zh="TKI名称", when=TKI, required=True)
    tki_outcome = code(TKI_OUTCOME, en="Outcome of the TKI", zh="TKI治疗结局", when=TKI, required=True)
    start_date = partial_day(en="Start", zh="开始日期", cdash="CMSTDAT", required=True)
    ongoing = yes_no(en="Ongoing", zh="是否持续", cdash="CMONGO", required=True)
    end_date = partial_day(
        en="End",
        zh="结束日期",
        cdash="CMENDAT",
        not_before="start_date",
        when={"ongoing": (False,)},
        required=True,
    )
    best_response = code(BEST_RESPONSE, en="Best response", zh="最佳疗效", required=True)
    investigational = yes_no(en="Investigational product", zh="是否为试验用药品", required=True)
    intrathecal = yes_no(en="Intrathecal", zh="是否鞘内给药")

    class Meta(CRF.Meta):
        verbose_name = T("Prior therapy", "既往抗白血病治疗")

    def doubts(self) -> Iterator[Doubt]:
        """Targets that do not fit the product, and answers about its state that do not fit each other."""
        named, expected = set(self.target_antigens or []), BINDS.get(self.category, set())
        if named and not expected <= named:
            yield Doubt(
                "target_antigens",
                "prior_therapy.target_does_not_fit",
                T(
                    f"{_listed(named)} named; this antibody binds {_listed(expected)}. "
                    "Check the category and the targets.",
                    f"已填写{_listed(named)}，而该抗体的靶点为{_listed(expected)}。请核对类别和靶抗原。",
                ),
                value=_listed(named),
                limit=_listed(expected),
            )
        if self.category == "IMP" and self.investigational is False:
            yield Doubt(
                "investigational",
                "prior_therapy.investigational_denied",
                T(
                    "The category says investigational product, this answer says No. Check both.",
                    "类别为试验用药品，而该项为“否”。请核对两项。",
                ),
                value="NO",
            )
        if self.category == "TKI" and self.tki_outcome == "ONGOING" and self.ongoing is False:
            yield Doubt(
                "tki_outcome",
                "prior_therapy.tki_ongoing_but_ended",
                T(
                    "The TKI is recorded as ongoing, but has ended. Did it fail, or was it not tolerated?",
                    "TKI结局为持续用药，但治疗已结束。应为治疗失败或不耐受？",
                ),
                value="ONGOING",
            )


class MedicalHistory(CRF):
    """One other illness, past or present. Registry E-02, E-08 to E-12 and E-15 are read from here."""

    form = "medical_history"
    domain = "MH"
    repeats = "log"
    dated_by = "start_date"

    term = text(
        en="Condition",
        zh="疾病名称",
        cdash="MHTERM",
        note=T("Coded with MedDRA.", "采用MedDRA编码。"),
        required=True,
    )
    category = code(MH_CATEGORY, en="Category", zh="类别", cdash="MHCAT", required=True)
    subtype = code(MH_SUBTYPE, en="Subtype", zh="亚类", when={"category": ("CNS", "CARDIAC")}, required=True)
    start_date = partial_day(en="Start", zh="开始日期", cdash="MHSTDAT", required=True)
    ongoing = yes_no(en="Ongoing", zh="是否持续", cdash="MHONGO", required=True)
    end_date = partial_day(
        en="End",
        zh="结束日期",
        cdash="MHENDAT",
        not_before="start_date",
        when={"ongoing": (False,)},
        required=True,
    )
    active_at_consent = code(
        YES_NO_UNKNOWN,
        en="Active at consent",
        zh="签署知情同意时活动",
        when={"category": ("AUTOIMMUNE", "INFECTION")},
        required=True,
    )
    allergen_class = code(ALLERGEN_CLASS, en="Allergen", zh="过敏原类别", when=ALLERGY, required=True)
    reaction_type = code(REACTION_TYPE, en="Reaction", zh="反应类型", when=ALLERGY, required=True)
    ctcae_grade = whole(en="CTCAE grade", zh="CTCAE分级", hard=(1, 5))

    class Meta(CRF.Meta):
        verbose_name = T("Medical history", "既往病史")

    def contradictions(self) -> Iterator[Problem]:
        """A subtype belongs to its category."""
        possible = SUBTYPES.get(self.category)
        if possible is None or not self.subtype or self.subtype in possible:
            return
        subtype, category = both(MH_SUBTYPE.label(self.subtype)), both(MH_CATEGORY.label(self.category))
        yield Problem(
            "subtype",
            "contradiction",
            T(
                f"“{subtype['en']}” is no subtype of the category “{category['en']}”.",
                f"“{subtype['zh']}”不属于类别“{category['zh']}”。",
            ),
            value=self.subtype,
            limit=", ".join(possible),
            fix=T(
                "Choose a subtype of this category, or change the category.",
                "请选择该类别的亚类，或更改类别。",
            ),
        )

    def doubts(self) -> Iterator[Doubt]:
        """Grade 5 is death."""
        if self.ctcae_grade == 5:
            yield Doubt(
                "ctcae_grade",
                "medical_history.grade_5",
                T(
                    "Grade 5 means death; a history is expected to be grade 1 to 4. Check the grade.",
                    "5级表示死亡，既往病史应为1至4级。请核对分级。",
                ),
                value="5",
                limit="1 – 4",
            )
