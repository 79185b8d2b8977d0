"""Closed answers of the forms on adverse events and dose-limiting toxicity."""

from trial.codes import CodeList

AE_CATEGORY = CodeList(
    "CL_AECAT",
    (
        ("CRS", "Cytokine release syndrome", "细胞因子释放综合征(CRS)"),
        ("ICANS", "Neurotoxicity (ICANS)", "神经毒性(ICANS)"),
        ("IEC_HS", "Haemophagocytic syndrome (IEC-HS)", "噬血细胞综合征样反应(IEC-HS)"),
        ("HEM", "Haematological", "血液学毒性"),
        ("NONHEM", "Non-haematological", "非血液学毒性"),
        ("NONHEM_LAB", "Non-haematological, laboratory only", "非血液学毒性(仅实验室异常)"),
        ("INFUSION_REACTION", "Infusion reaction", "输注反应"),
        ("INFECTION", "Infection", "感染"),
        ("CYTOPENIA_PROLONGED", "Prolonged cytopenia", "持续性血细胞减少"),
        ("SECOND_MALIGNANCY", "Second malignancy", "第二肿瘤"),
    ),
)
SAE_CRITERION = CodeList(
    "CL_SAE",
    (
        ("DEATH", "Death", "死亡"),
        ("LIFE_THREATENING", "Life-threatening", "危及生命"),
        ("HOSPITALISATION", "Hospitalisation or its prolongation", "住院或住院时间延长"),
        ("DISABILITY", "Disability or incapacity", "残疾或功能丧失"),
        ("CONGENITAL", "Congenital anomaly", "先天性异常或出生缺陷"),
        ("IMPORTANT_MEDICAL", "Other medically important event", "其他重要医学事件"),
    ),
)
AE_ACTION = CodeList(
    "CL_AEACTION",
    (
        ("NONE", "None", "无"),
        ("DRUG", "Drug treatment", "药物治疗"),
        ("HOSPITALISATION", "Hospitalisation", "住院"),
        ("ICU", "Intensive care", "入住重症监护室"),
        ("OTHER", "Other", "其他"),
    ),
)
OUTCOME = CodeList(
    "CL_AEOUT",
    (
        ("RECOVERED", "Recovered", "痊愈"),
        ("RECOVERING", "Recovering", "好转"),
        ("NOT_RECOVERED", "Not recovered", "未好转"),
        ("SEQUELAE", "Recovered with sequelae", "痊愈但有后遗症"),
        ("FATAL", "Fatal", "死亡"),
        ("UNKNOWN", "Unknown", "未知"),
    ),
)
EVALUABLE = CodeList("CL_EVAL", (("YES", "Yes", "是"), ("NO", "No", "否"), ("PENDING", "Pending", "待定")))
