"""How the leukaemia answers, and how the subject fares: response and long-term follow-up."""

from collections.abc import Iterator

from subjects.codelists import EXTRAMEDULLARY_SITE
from subjects.crf import CRF
from trial.codes import YES_NO
from trial.findings import Doubt
from trial.item import code, codes_many, day, link, number, yes_no
from trial.text import T
from visits.codelists import CONTACT, DISEASE_STATUS, RCL_RESULT, RELAPSE_CD19, RESPONSE, VITAL_STATUS

REMISSION = ("CR", "CRi")
BY_RECORD = ("RECORD_REVIEW", "REGISTRY")
RCL_AT = ("M3", "M6", "M12", "M24", *(f"Y{year}" for year in range(3, 16)))
DISEASE = T("Disease", "疾病情况")
COUNTS = T("Counts", "血细胞计数")
LATE = T("Late effects since the last contact", "自上次随访以来的迟发反应")


class Response(CRF):
    """Response of the leukaemia as the investigator sees it, with what the derived response is compared on.
    Registry: overall remission (CR and CRi) during the three months after infusion."""

    form = "response"
    domain = "RS"
    repeats = "visit"
    dated_by = "assess_date"

    assess_date = day(en="Date of assessment", zh="评估日期", cdash="RSDAT", required=True)
    bone_marrow = link(
        "visits.BoneMarrow", en="Bone marrow it rests on", zh="依据的骨髓检查", section=DISEASE
    )
    csf = link("visits.Csf", en="Cerebrospinal fluid it rests on", zh="依据的脑脊液检查", section=DISEASE)
    circulating_blasts = yes_no(
        en="Circulating blasts",
        zh="外周血原始细胞",
        required=True,
        section=DISEASE,
        sdtm="RSORRES where RSTESTCD = PBLTIND",
    )
    extramedullary_disease = yes_no(
        en="Extramedullary disease", zh="髓外病变", required=True, section=DISEASE
    )
    extramedullary_sites = codes_many(
        EXTRAMEDULLARY_SITE,
        en="Extramedullary sites",
        zh="髓外病变部位",
        required=True,
        when={"extramedullary_disease": (True,)},
        section=DISEASE,
    )
    anc = number(
        8,
        3,
        en="Neutrophils",
        zh="中性粒细胞绝对值",
        unit="10^9/L",
        required=True,
        section=COUNTS,
        note=T("Within 3 days of the marrow.", "骨髓检查前后 3 天内。"),
        sdtm="LBORRES, LBORRESU where LBTESTCD = NEUT",
    )
    plt = number(
        8,
        2,
        en="Platelets",
        zh="血小板计数",
        unit="10^9/L",
        required=True,
        section=COUNTS,
        note=T("Within 3 days of the marrow.", "骨髓检查前后 3 天内。"),
        sdtm="LBORRES, LBORRESU where LBTESTCD = PLAT",
    )
    investigator_response = code(
        RESPONSE,
        en="Response by the investigator",
        zh="研究者判定疗效",
        cdash="OVRLRESP_RSORRES",
        required=True,
    )
    relapse_cd19_status = code(
        RELAPSE_CD19,
        en="CD19 at relapse",
        zh="复发时CD19表达",
        required=True,
        when={"investigator_response": ("RELAPSE",)},
    )

    class Meta(CRF.Meta):
        verbose_name = T("Response assessment", "疗效评估")

    def doubts(self) -> Iterator[Doubt]:
        """A remission with leukaemia in sight, or without the marrow it rests on."""
        answer = self.investigator_response
        if answer not in REMISSION:
            return
        if self.circulating_blasts or self.extramedullary_disease:
            yield Doubt(
                "investigator_response",
                "response.remission_with_disease",
                T(
                    f"{answer} is answered beside circulating blasts or extramedullary disease. "
                    "Check the three answers.",
                    f"判定为 {answer},但存在外周血原始细胞或髓外病变。请核对这三项。",
                ),
                answer,
            )
        if self.status == "COMPLETE" and self.bone_marrow_id is None and "bone_marrow" not in self.missing:
            yield Doubt(
                "bone_marrow",
                "response.remission_without_marrow",
                T(
                    f"{answer} is answered without a bone marrow. Choose the marrow it rests on.",
                    f"判定为 {answer},但未关联骨髓检查。请选择所依据的骨髓检查。",
                ),
            )


class SurvivalLtfu(CRF):
    """Survival and long-term follow-up, to 15 years."""

    form = "survival_ltfu"
    domain = "SS"
    repeats = "visit"
    dated_by = "contact_date"

    contact_date = day(
        en="Date of contact", zh="随访日期", cdash="SSDAT", required=True, not_before="last_known_alive"
    )
    contact_type = code(CONTACT, en="Kind of contact", zh="随访方式", required=True)
    vital_status = code(
        VITAL_STATUS, en="Vital status", zh="生存状态", cdash="SURVSTAT_SSORRES", required=True
    )
    last_known_alive = day(
        en="Last known alive", zh="最后已知存活日期", sdtm="SSORRES where SSTESTCD = LSCFADTC"
    )
    disease_status = code(DISEASE_STATUS, en="Disease status", zh="疾病状态", required=True)
    new_malignancy = code(
        YES_NO,
        en="New malignancy",
        zh="新发恶性肿瘤",
        required=True,
        section=LATE,
        note=T(
            "If Yes, record an adverse event and test the tumour for the CAR transgene.",
            "如为是,请记录不良事件,并检测肿瘤的 CAR 转基因。",
        ),
    )
    new_neuro = code(
        YES_NO, en="New neurological disorder", zh="新发神经系统疾病", required=True, section=LATE
    )
    new_autoimmune = code(
        YES_NO,
        en="New autoimmune or rheumatic disorder",
        zh="新发自身免疫性或风湿性疾病",
        required=True,
        section=LATE,
    )
    new_haem = code(
        YES_NO, en="New haematological disorder", zh="新发血液系统疾病", required=True, section=LATE
    )
    rcl_test = code(
        RCL_RESULT,
        en="Replication-competent lentivirus",
        zh="可复制型慢病毒(RCL)检测",
        required_at=RCL_AT,
        section=LATE,
        note=T(
            "Yearly testing may stop when every test of the first year was negative.",
            "首年各次均为阴性者,可停止每年检测。",
        ),
    )
    vcn_persistence = number(14, 2, en="Vector copies", zh="载体拷贝数", unit="copies/ug", section=LATE)
    pregnancy = code(
        YES_NO, en="Pregnancy (subject or partner)", zh="妊娠(受试者或其伴侣)", required=True, section=LATE
    )

    class Meta(CRF.Meta):
        verbose_name = T("Survival and long-term follow-up", "生存与长期随访")

    def doubts(self) -> Iterator[Doubt]:
        """Nobody spoke to the subject: the last day known alive is what survival is censored at."""
        indirect = self.vital_status == "LOST" or (
            self.vital_status == "ALIVE" and self.contact_type in BY_RECORD
        )
        asked = self.status == "COMPLETE" and "last_known_alive" not in self.missing
        if indirect and asked and self.last_known_alive is None:
            yield Doubt(
                "last_known_alive",
                "survival_ltfu.last_known_alive",
                T(
                    "The subject was not reached in person, and the day last known alive is missing.",
                    "未直接联系到受试者,且缺少最后已知存活日期。请填写。",
                ),
            )
