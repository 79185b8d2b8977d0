"""Where the leukaemia is looked for: CD19 on blasts, bone marrow, cerebrospinal fluid."""

from collections.abc import Iterator

from subjects.crf import CRF
from trial.codes import POS_NEG
from trial.findings import Doubt
from trial.item import code, day, moment, number, text, whole, yes_no
from trial.text import T
from visits.calc import CNS3_FROM_WBC, cns_status, traumatic_tap
from visits.codelists import (
    CD19_METHOD,
    CD19_SPECIMEN,
    CELLULARITY,
    CNS_STATUS,
    MRD_METHOD,
    MRD_RESULT,
)

FEW_POSITIVE = 20
AFTER_INFUSION = ("D28", "M2", "M3", "M6", "M9", "M12", "M15", "M18", "M21", "M24")
MORPHOLOGY = T("Morphology", "形态学")
GENETICS = T("Genetics", "遗传学")
MRD = T("Minimal residual disease", "微小残留病(MRD)")


class Cd19Flow(CRF):
    """CD19 on leukaemic cells. Registry I-02 asks for flow cytometry of marrow or blood and names no share of
    cells: the laboratory's conclusion decides."""

    form = "cd19_flow"
    domain = "CP"
    repeats = "visit"
    dated_by = "sample_date"

    sample_date = day(en="Date of sampling", zh="采样日期", cdash="CPDAT/LBDAT", required=True, sdtm="CPDTC")
    specimen = code(CD19_SPECIMEN, en="Specimen", zh="标本类型", cdash="LBSPEC", required=True, sdtm="CPSPEC")
    method = code(CD19_METHOD, en="Method", zh="检测方法", cdash="LBMETHOD", required=True, sdtm="CPMETHOD")
    cd19_result = code(
        POS_NEG,
        en="CD19, conclusion of the laboratory",
        zh="CD19检测结论",
        required=True,
        sdtm="CPORRES where CPTESTCD = CD19RES",
    )
    cd19_pct_blasts = number(
        5,
        2,
        en="CD19+ share of blasts",
        zh="CD19阳性原始细胞比例",
        unit="%",
        hard=(0, 100),
        soft=(20, 100),
        required=True,
        sdtm="CPORRES, CPORRESU where CPTESTCD = CD19BLA",
    )
    cd19_mfi = number(
        12,
        2,
        en="CD19 mean fluorescence intensity",
        zh="CD19平均荧光强度",
        sdtm="CPORRES where CPTESTCD = CD19MFI",
    )
    cd22_pct = number(
        5,
        2,
        en="CD22+ share of blasts",
        zh="CD22阳性原始细胞比例",
        unit="%",
        hard=(0, 100),
        sdtm="CPORRES, CPORRESU where CPTESTCD = CD22BLA",
    )

    class Meta(CRF.Meta):
        verbose_name = T("CD19 expression", "CD19表达检测")

    def doubts(self) -> Iterator[Doubt]:
        """Conclusion and share of cells point different ways."""
        share = self.cd19_pct_blasts
        if share is None:
            return
        if self.cd19_result == "POSITIVE" and share < FEW_POSITIVE:
            yield Doubt(
                "cd19_result",
                "cd19_flow.positive_but_few",
                T(
                    f"Concluded positive with {share} % CD19+ blasts (20 % or more expected). Check it.",
                    f"结论为阳性,但 CD19 阳性原始细胞仅 {share} %(预期不低于 20 %)。请核对报告。",
                ),
                str(share),
                f"≥ {FEW_POSITIVE}",
            )
        if self.cd19_result == "NEGATIVE" and share >= FEW_POSITIVE:
            yield Doubt(
                "cd19_result",
                "cd19_flow.negative_but_many",
                T(
                    f"Concluded negative with {share} % CD19+ blasts (under 20 % expected). Check it.",
                    f"结论为阴性,但 CD19 阳性原始细胞为 {share} %(预期低于 20 %)。请核对报告。",
                ),
                str(share),
                f"< {FEW_POSITIVE}",
            )


class BoneMarrow(CRF):
    """Bone marrow. Registry I-03 counts lymphoblasts by morphology; flow and MRD never stand in for that."""

    form = "bone_marrow"
    domain = "LB"
    repeats = "visit"
    dated_by = "bm_dt"

    bm_dt = moment(
        en="Date and time of aspiration",
        zh="骨髓穿刺日期时间",
        cdash="PRSTDAT+PRSTTIM / LBDAT",
        required=True,
        sdtm="PRSTDTC, LBDTC",
    )
    aspirate_adequate = yes_no(en="Adequate aspirate", zh="骨髓取材满意", required=True, section=MORPHOLOGY)
    cellularity = code(CELLULARITY, en="Cellularity", zh="骨髓增生程度", required=True, section=MORPHOLOGY)
    cells_counted = whole(
        en="Cells counted",
        zh="分类计数细胞数",
        hard=(0, 2000),
        soft=(200, 500),
        required=True,
        section=MORPHOLOGY,
    )
    blast_pct_morph = number(
        5,
        2,
        en="Lymphoblasts by morphology",
        zh="原始+幼稚淋巴细胞比例(形态学)",
        unit="%",
        hard=(0, 100),
        required=True,
        section=MORPHOLOGY,
        sdtm="MIORRES, MIORRESU where MITESTCD = BLASTCE",
    )
    blast_pct_flow = number(
        5,
        2,
        en="Lymphoblasts by flow cytometry",
        zh="白血病细胞比例(流式)",
        unit="%",
        hard=(0, 100),
        section=MORPHOLOGY,
    )
    karyotype = text(200, en="Karyotype", zh="染色体核型", section=GENETICS)
    bcr_abl_ratio = number(
        9,
        5,
        en="BCR::ABL1 ratio (international scale)",
        zh="BCR::ABL1定量(国际标准化)",
        unit="%",
        hard=(0, 1000),
        section=GENETICS,
        note=T("Expected of subjects with Ph+ disease.", "Ph 阳性受试者应填写。"),
    )
    mrd_method = code(
        MRD_METHOD,
        en="MRD method",
        zh="MRD检测方法",
        required_at=AFTER_INFUSION,
        section=MRD,
        sdtm="CPMETHOD where CPTESTCD = MRD",
    )
    mrd_result = code(
        MRD_RESULT,
        en="MRD result",
        zh="MRD结果",
        required=True,
        when={"mrd_method": MRD_METHOD.codes},
        section=MRD,
        sdtm="CPORRES where CPTESTCD = MRD",
    )
    mrd_level = number(
        10,
        8,
        en="MRD level",
        zh="MRD水平",
        unit="fraction",
        hard=(0, 1),
        required=True,
        when={"mrd_result": ("DETECTED",)},
        section=MRD,
        note=T("As a fraction: 0.0001 is one in ten thousand.", "以分数填写:0.0001 即万分之一。"),
        sdtm="CPSTRESN, CPSTRESU where CPTESTCD = MRD",
    )
    mrd_sensitivity = number(
        10,
        8,
        en="Sensitivity of the MRD assay",
        zh="MRD检测灵敏度",
        unit="fraction",
        hard=("0.0000001", "0.01"),
        required=True,
        when={"mrd_method": MRD_METHOD.codes},
        section=MRD,
        note=T("As a fraction: 0.0001 is one in ten thousand.", "以分数填写:0.0001 即万分之一。"),
        sdtm="SUPPCP.MRDSENS",
    )
    donor_chimerism_pct = number(
        5, 2, en="Donor chimerism", zh="供者嵌合率", unit="%", hard=(0, 100), section=GENETICS
    )

    class Meta(CRF.Meta):
        verbose_name = T("Bone marrow", "骨髓检查")


class Csf(CRF):
    """Cerebrospinal fluid. The class rests on cytology and leukocytes; this form knows no clinical signs."""

    form = "csf"
    domain = "LB"
    repeats = "visit"
    dated_by = "lp_dt"

    lp_dt = moment(
        en="Date and time of lumbar puncture",
        zh="腰椎穿刺日期时间",
        cdash="PRSTDAT+PRSTTIM",
        required=True,
        sdtm="PRSTDTC, LBDTC",
    )
    csf_wbc = whole(
        en="Leukocytes",
        zh="脑脊液白细胞",
        unit="/uL",
        hard=(0, 50000),
        soft=(0, 20),
        required=True,
        sdtm="LBORRES, LBORRESU where LBTESTCD = WBC",
    )
    csf_rbc = whole(
        en="Red cells",
        zh="脑脊液红细胞",
        unit="/uL",
        hard=(0, 1000000),
        soft=(0, 10),
        required=True,
        sdtm="LBORRES, LBORRESU where LBTESTCD = RBC",
    )
    csf_blasts = code(POS_NEG, en="Blasts on cytology", zh="细胞学原始细胞", required=True)
    csf_flow_blasts = code(POS_NEG, en="Blasts by flow cytometry", zh="流式白血病细胞")
    cns_status = code(
        CNS_STATUS,
        en="CNS class",
        zh="中枢神经系统分级",
        calc=cns_status,
        sdtm="RSORRES where RSTESTCD = CNSSTAT",
    )
    it_therapy = text(
        100, en="Intrathecal therapy given", zh="鞘内治疗", sdtm="CMOCCUR where CMSCAT = INTRATHECAL"
    )
    csf_car_copies = number(
        14,
        2,
        en="CAR transgene in CSF",
        zh="脑脊液CAR拷贝数",
        unit="copies/ug",
        sdtm="PCORRES, PCORRESU where PCTESTCD = CARTGCN",
    )
    csf_il6 = number(
        12,
        2,
        en="IL-6 in CSF",
        zh="脑脊液IL-6",
        unit="pg/mL",
        sdtm="LBORRES, LBORRESU where LBTESTCD = INTLK6",
    )

    class Meta(CRF.Meta):
        verbose_name = T("Cerebrospinal fluid", "脑脊液检查")

    def doubts(self) -> Iterator[Doubt]:
        """A bloody tap that leaves the class open; blasts that only one method sees."""
        many = self.csf_wbc is not None and self.csf_wbc >= CNS3_FROM_WBC
        if self.csf_blasts == "POSITIVE" and many and traumatic_tap(self):
            yield Doubt(
                "csf_rbc",
                "csf.traumatic_tap",
                T(
                    f"Blasts with {self.csf_rbc} red cells/uL: a traumatic tap leaves the class open. "
                    "Confirm the count; the investigator classifies with the blood count of the day.",
                    f"检出原始细胞且红细胞 {self.csf_rbc}/uL:可能为损伤性穿刺,系统不作分级。"
                    "请核实计数,由研究者结合当日血象判定。",
                ),
                str(self.csf_rbc),
                "< 10",
            )
        answers = {self.csf_blasts, self.csf_flow_blasts}
        if answers == {"POSITIVE", "NEGATIVE"}:
            yield Doubt(
                "csf_flow_blasts",
                "csf.methods_disagree",
                T(
                    "Cytology and flow cytometry disagree on blasts. Check both; the class follows cytology.",
                    "细胞学与流式对原始细胞的结论不一致。请核对两份报告;分级以细胞学为准。",
                ),
                self.csf_flow_blasts,
                self.csf_blasts,
            )
