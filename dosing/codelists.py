"""Closed answers of the forms on apheresis, product, lymphodepletion and infusion."""

from dosing.levels import LEVELS
from trial.codes import CodeList

DOSE_LEVEL = CodeList("CL_DOSE_LEVEL", tuple((level.code, level.en, level.zh) for level in LEVELS))
ACCESS = CodeList(
    "CL_APH_ACCESS",
    (("PERIPHERAL", "Peripheral veins", "外周静脉"), ("CVC", "Central venous catheter", "中心静脉导管")),
)
FORMULATION = CodeList(
    "CL_FORMULATION", (("CRYOPRESERVED", "Cryopreserved", "冻存制剂"), ("FRESH", "Fresh", "新鲜制剂"))
)
STERILITY = CodeList(
    "CL_STERILITY",
    (
        ("NO_GROWTH", "No growth (final)", "无菌生长(最终结果)"),
        ("GROWTH", "Growth", "有菌生长"),
        ("PENDING", "Pending", "待出结果"),
        ("NEGATIVE_TO_DATE", "No growth to date", "迄今无菌生长"),
    ),
)
TEST_RESULT = CodeList(
    "CL_RELEASE_TEST",
    (("NEGATIVE", "Negative", "阴性"), ("POSITIVE", "Positive", "阳性"), ("PENDING", "Pending", "待出结果")),
)
RELEASE = CodeList(
    "CL_RELEASE",
    (
        ("RELEASED", "Released", "放行"),
        ("CONDITIONAL_RELEASE", "Conditionally released", "有条件放行"),
        ("REJECTED", "Rejected", "拒绝放行"),
        ("OUT_OF_SPEC_EXCEPTION", "Released out of specification, by exception", "不合格品例外放行"),
    ),
)
COI_STEP = CodeList(
    "CL_COI",
    (
        ("COLLECTED", "Collected", "采集"),
        ("LABELLED", "Labelled", "贴签"),
        ("PACKED", "Packed", "包装"),
        ("SHIPPED_TO_MFG", "Shipped to manufacturer", "发运至生产单位"),
        ("RECEIVED_MFG", "Received by manufacturer", "生产单位接收"),
        ("MFG_START", "Manufacturing started", "开始生产"),
        ("HARVESTED", "Harvested", "收获"),
        ("CRYOPRESERVED", "Cryopreserved", "冻存"),
        ("QC_SAMPLED", "Sampled for quality control", "质检取样"),
        ("RELEASED", "Released", "放行"),
        ("SHIPPED_TO_SITE", "Shipped to site", "发运至研究中心"),
        ("RECEIVED_SITE", "Received by site", "研究中心接收"),
        ("STORED", "Stored", "储存"),
        ("THAWED", "Thawed", "复苏"),
        ("BEDSIDE_CHECK", "Checked at the bedside", "床旁核对"),
        ("INFUSED", "Infused", "回输"),
        ("DISCARDED", "Discarded", "销毁"),
    ),
)
BRIDGING_INTENT = CodeList(
    "CL_BRIDGING_INTENT",
    (("CYTOREDUCTION", "Cytoreduction", "减瘤"), ("MAINTENANCE", "Maintenance", "维持疾病稳定")),
)
LD_DRUG = CodeList(
    "CL_LD_DRUG",
    (("FLUDARABINE", "Fludarabine", "氟达拉滨"), ("CYCLOPHOSPHAMIDE", "Cyclophosphamide", "环磷酰胺")),
)
NOT_GIVEN = CodeList(
    "CL_NOT_GIVEN",
    (
        ("TOXICITY", "Toxicity", "毒性反应"),
        ("RENAL", "Renal function", "肾功能"),
        ("INFECTION", "Infection", "感染"),
        ("SUBJECT_DECISION", "Subject's decision", "受试者决定"),
        ("OTHER", "Other", "其他"),
    ),
)
PREMEDICATION = CodeList(
    "CL_PREMED",
    (
        ("PARACETAMOL", "Paracetamol", "对乙酰氨基酚"),
        ("DIPHENHYDRAMINE", "Diphenhydramine", "苯海拉明"),
        ("CORTICOSTEROID", "Corticosteroid", "糖皮质激素"),
        ("OTHER", "Other", "其他"),
    ),
)
