"""The leukaemia before this study."""

from collections.abc import Iterator

from subjects.codelists import (
    BCR_ABL_TRANSCRIPT,
    CNS_STATUS,
    CYTOGENETIC_RISK,
    EXTRAMEDULLARY_SITE,
    IMMUNOPHENOTYPE,
    PH_STATUS,
    RELAPSE_TYPE,
)
from subjects.crf import CRF
from trial.codes import YES_NO_UNKNOWN
from trial.findings import Doubt, Problem
from trial.item import code, codes_many, partial_day, text, whole
from trial.text import T

DIAGNOSIS = T("Diagnosis", "诊断")
COURSE = T("Course", "病程")
PRESENT = T("Present state", "目前状态")
SOME = tuple(range(1, 11))
OUTSIDE_MARROW = ("EM_ISOLATED", "COMBINED")


class DiseaseHistory(CRF):
    """History of the leukaemia. Registry I-01 asks for relapsed or refractory disease, E-01 for more than
    extramedullary disease alone; both are read from here and never enforced here."""

    form = "disease_history"
    domain = "MH"
    repeats = "one"
    dated_by = "diagnosis_date"

    diagnosis_date = partial_day(
        en="First diagnosis of ALL", zh="ALL首次诊断日期", section=DIAGNOSIS, cdash="MHSTDAT", required=True
    )
    immunophenotype = code(
        IMMUNOPHENOTYPE, en="Immunophenotype", zh="免疫表型", section=DIAGNOSIS, required=True
    )
    ph_status = code(
        PH_STATUS,
        en="Philadelphia chromosome (BCR::ABL1)",
        zh="Ph染色体（BCR::ABL1）",
        section=DIAGNOSIS,
        note=T("By karyotype, FISH or PCR.", "核型、FISH或PCR检测。"),
        required=True,
        sdtm="GFORRES where GFTESTCD = SEQREAR",
    )
    bcr_abl_transcript = code(
        BCR_ABL_TRANSCRIPT,
        en="BCR::ABL1 transcript",
        zh="BCR::ABL1转录本类型",
        section=DIAGNOSIS,
        when={"ph_status": ("POSITIVE",)},
        required=True,
        sdtm="GFORRES where GFTESTCD = BCRABLTR",
    )
    abl_kd_mutation = text(
        60,
        en="ABL kinase domain mutation",
        zh="ABL激酶区突变",
        section=DIAGNOSIS,
        note=T("For example T315I.", "例如T315I。"),
        when={"ph_status": ("POSITIVE",)},
        sdtm="GFORRES where GFTESTCD = ABLKDMUT",
    )
    ph_like = code(
        YES_NO_UNKNOWN,
        en="Ph-like ALL",
        zh="Ph样ALL",
        section=DIAGNOSIS,
        when={"ph_status": ("NEGATIVE", "UNKNOWN")},
    )
    cytogenetic_risk = code(
        CYTOGENETIC_RISK, en="Cytogenetic risk (NCCN)", zh="细胞遗传学危险度（NCCN）", section=DIAGNOSIS
    )
    relapse_after_first_remission = code(
        YES_NO_UNKNOWN, en="Relapse after first remission", zh="首次缓解后复发", section=COURSE, required=True
    )
    first_remission_date = partial_day(
        en="Date of first remission",
        zh="首次缓解日期",
        section=COURSE,
        not_before="diagnosis_date",
        when={"relapse_after_first_remission": ("YES",)},
        required=True,
    )
    number_of_relapses = whole(
        en="Number of relapses", zh="复发次数", section=COURSE, hard=(0, 10), soft=(0, 5), required=True
    )
    relapse_type = code(
        RELAPSE_TYPE,
        en="Type of the latest relapse",
        zh="最近一次复发类型",
        section=COURSE,
        when={"number_of_relapses": SOME},
        required=True,
    )
    last_relapse_date = partial_day(
        en="Date of the latest relapse",
        zh="最近一次复发日期",
        section=COURSE,
        not_before="diagnosis_date",
        when={"number_of_relapses": SOME},
        required=True,
    )
    primary_refractory = code(
        YES_NO_UNKNOWN, en="Primary refractory", zh="原发难治", section=COURSE, required=True
    )
    induction_cycles = whole(
        en="Induction cycles without complete remission",
        zh="未达完全缓解的诱导疗程数",
        section=COURSE,
        hard=(0, 6),
        soft=(1, 4),
        when={"primary_refractory": ("YES",)},
        required=True,
    )
    prior_lines = whole(
        en="Prior lines of therapy",
        zh="既往治疗线数",
        section=COURSE,
        hard=(0, 15),
        soft=(1, 8),
        required=True,
    )
    prior_allo_sct = code(
        YES_NO_UNKNOWN,
        en="Prior allogeneic transplant",
        zh="既往异基因造血干细胞移植",
        section=COURSE,
        required=True,
    )
    extramedullary_sites = codes_many(
        EXTRAMEDULLARY_SITE, en="Extramedullary sites", zh="髓外受累部位", section=PRESENT
    )
    cns_status = code(CNS_STATUS, en="CNS status", zh="中枢神经系统状态", section=PRESENT, required=True)

    class Meta(CRF.Meta):
        verbose_name = T("Disease history", "疾病史")

    def contradictions(self) -> Iterator[Problem]:
        """A relapse that happened has to be counted."""
        if self.relapse_after_first_remission == "YES" and self.number_of_relapses == 0:
            yield Problem(
                "number_of_relapses",
                "contradiction",
                T(
                    "0 relapses, but relapse after first remission is Yes: expected 1 or more.",
                    "复发次数为0，但“首次缓解后复发”为“是”：应至少为1。",
                ),
                value="0",
                limit="≥ 1",
                fix=T("Count the relapse, or change the answer to No.", "请计入该次复发，或将该项改为“否”。"),
            )

    def doubts(self) -> Iterator[Doubt]:
        """Answers that fit each other badly."""
        yield from self._doubtful_type()
        yield from self._doubtful_counts()
        yield from self._doubtful_sites()

    def _doubtful_type(self) -> Iterator[Doubt]:
        if self.immunophenotype == "T":
            yield Doubt(
                "immunophenotype",
                "disease_history.t_cell",
                T(
                    "T-cell disease, where B lineage with CD19 is expected. Check the flow report.",
                    "免疫表型为T细胞型：CD19阳性疾病应为B系。请核对流式报告。",
                ),
                value=self.immunophenotype,
            )

    def _doubtful_counts(self) -> Iterator[Doubt]:
        relapses = self.number_of_relapses
        if relapses is None:
            return
        if relapses > 0 and self.relapse_after_first_remission == "NO":
            yield Doubt(
                "relapse_after_first_remission",
                "disease_history.relapse_denied",
                T(
                    f"Answered No, yet {relapses} relapse(s) are counted. Every relapse follows a remission: "
                    "check both answers.",
                    f"该项为“否”，但复发次数为{relapses}。复发均发生于缓解之后，请核对两项。",
                ),
                value="NO",
            )
        if self.prior_lines is not None and relapses > self.prior_lines:
            yield Doubt(
                "prior_lines",
                "disease_history.fewer_lines_than_relapses",
                T(
                    f"{self.prior_lines} line(s) of therapy for {relapses} relapse(s). Each remission before "
                    "a relapse took at least one line: check both counts.",
                    f"治疗线数为{self.prior_lines}，少于复发次数{relapses}。每次复发前的缓解至少需一线治疗，请核对。",
                ),
                value=str(self.prior_lines),
                limit=f"≥ {relapses}",
            )

    def _doubtful_sites(self) -> Iterator[Doubt]:
        sites = self.extramedullary_sites or []
        stated = bool(sites) or "extramedullary_sites" in self.missing
        if self.relapse_type in OUTSIDE_MARROW and not stated:
            yield Doubt(
                "extramedullary_sites",
                "disease_history.site_not_named",
                T(
                    "The latest relapse was extramedullary, but no site is named. Name at least one.",
                    "最近一次复发累及髓外，但未填写部位。请至少填写一个部位。",
                ),
            )
        if self.relapse_type == "BM_ISOLATED" and sites:
            yield Doubt(
                "relapse_type",
                "disease_history.isolated_with_sites",
                T(
                    "Isolated marrow relapse, yet extramedullary sites are named. Was the relapse combined?",
                    "类型为孤立性骨髓复发，但填写了髓外部位。是否应为骨髓合并髓外复发？",
                ),
                value=self.relapse_type,
            )
        if "CNS" in sites and self.cns_status == "CNS1":
            yield Doubt(
                "cns_status",
                "disease_history.cns_site_with_cns1",
                T(
                    "CNS1 means no blasts in the fluid, yet the CNS is named as a site. Check both answers.",
                    "CNS1表示脑脊液无原始细胞，但髓外部位包含中枢神经系统。请核对两项。",
                ),
                value="CNS1",
            )
