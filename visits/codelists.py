"""Closed answers of the forms collected at visits. Codes: clinical specification sections 2 and 2.50."""

from trial.codes import CodeList

VITALS_TIMEPOINT = CodeList(
    "CL_VSTP",
    (
        ("VISIT", "Visit", "访视"),
        ("PRE_INF", "Before infusion", "回输前"),
        ("INF_15M", "15 min after start", "回输开始后15分钟"),
        ("INF_30M", "30 min after start", "回输开始后30分钟"),
        ("INF_1H", "1 h after start", "回输开始后1小时"),
        ("INF_2H", "2 h after start", "回输开始后2小时"),
        ("INF_4H", "4 h after start", "回输开始后4小时"),
        ("Q4H", "Every 4 h", "每4小时"),
        ("UNSCHED", "Unscheduled", "计划外"),
    ),
)
TEMPERATURE_ROUTE = CodeList(
    "CL_TEMP_ROUTE",
    (
        ("AXILLARY", "Axillary", "腋温"),
        ("ORAL", "Oral", "口温"),
        ("TYMPANIC", "Tympanic", "耳温"),
        ("RECTAL", "Rectal", "肛温"),
    ),
)
OXYGEN_DEVICE = CodeList(
    "CL_O2DEV",
    (
        ("NONE", "None", "无"),
        ("NASAL_CANNULA", "Nasal cannula (low flow)", "鼻导管(低流量)"),
        ("BLOW_BY", "Blow-by", "吹氧"),
        ("HIGH_FLOW_NC", "High-flow nasal cannula", "经鼻高流量吸氧"),
        ("FACEMASK", "Face mask", "面罩"),
        ("VENTURI", "Venturi mask", "文丘里面罩"),
        ("NONREBREATHER", "Non-rebreather mask", "非重复呼吸面罩"),
        ("CPAP", "CPAP", "持续气道正压通气(CPAP)"),
        ("BIPAP", "BiPAP", "双水平气道正压通气(BiPAP)"),
        ("MECH_VENT", "Mechanical ventilation", "机械通气"),
    ),
)
DIPSTICK = CodeList(
    "CL_DIPSTICK",
    (
        ("NEG", "Negative", "阴性"),
        ("TRACE", "Trace", "微量"),
        ("1+", "1+", "1+"),
        ("2+", "2+", "2+"),
        ("3+", "3+", "3+"),
        ("4+", "4+", "4+"),
    ),
)
ECHO_METHOD = CodeList(
    "CL_ECHO_METHOD",
    (
        ("ECHOCARDIOGRAM", "Echocardiogram", "超声心动图"),
        ("MUGA", "Radionuclide ventriculography (MUGA)", "核素心室造影(MUGA)"),
        ("CMR", "Cardiac magnetic resonance", "心脏磁共振"),
    ),
)
EFFUSION = CodeList(
    "CL_EFFUSION",
    (
        ("NONE", "None", "无"),
        ("TRACE", "Trace", "微量"),
        ("SMALL", "Small", "少量"),
        ("MODERATE", "Moderate", "中量"),
        ("LARGE", "Large", "大量"),
    ),
)
ECG_READING = CodeList(
    "CL_ECG",
    (
        ("NORMAL", "Normal", "正常"),
        ("ABN_NCS", "Abnormal, not clinically significant", "异常无临床意义"),
        ("ABN_CS", "Abnormal, clinically significant", "异常有临床意义"),
    ),
)
CD19_SPECIMEN = CodeList(
    "CL_CD19_SPECIMEN",
    (
        ("BONE_MARROW", "Bone marrow", "骨髓"),
        ("PERIPHERAL_BLOOD", "Peripheral blood", "外周血"),
        ("CSF", "Cerebrospinal fluid", "脑脊液"),
        ("TISSUE", "Tissue", "组织"),
    ),
)
CD19_METHOD = CodeList(
    "CL_CD19_METHOD",
    (("FLOW_CYTOMETRY", "Flow cytometry", "流式细胞术"), ("IHC", "Immunohistochemistry", "免疫组织化学")),
)
CELLULARITY = CodeList(
    "CL_CELLULARITY",
    (
        ("HYPO", "Hypocellular", "增生减低"),
        ("NORMO", "Normocellular", "增生活跃"),
        ("HYPER", "Hypercellular", "增生明显活跃或极度活跃"),
        ("APLASTIC", "Aplastic", "增生极度减低"),
    ),
)
MRD_METHOD = CodeList(
    "CL_MRD_METHOD",
    (
        ("FLOW", "Flow cytometry", "流式细胞术"),
        ("IG_TR_PCR", "Ig/TR PCR", "Ig/TCR重排PCR"),
        ("NGS", "Next-generation sequencing", "二代测序(NGS)"),
        ("BCR_ABL_PCR", "BCR::ABL1 PCR", "BCR::ABL1定量PCR"),
    ),
)
MRD_RESULT = CodeList(
    "CL_MRD_RESULT", (("NOT_DETECTED", "Not detected", "未检出"), ("DETECTED", "Detected", "检出"))
)
CNS_STATUS = CodeList(
    "CL_CNS_STATUS", (("CNS1", "CNS1", "CNS1"), ("CNS2", "CNS2", "CNS2"), ("CNS3", "CNS3", "CNS3"))
)
VASOPRESSOR = CodeList(
    "CL_VASOPRESSOR",
    (
        ("NONE", "None", "无"),
        ("NOREPINEPHRINE", "Norepinephrine", "去甲肾上腺素"),
        ("EPINEPHRINE", "Epinephrine", "肾上腺素"),
        ("DOPAMINE", "Dopamine", "多巴胺"),
        ("PHENYLEPHRINE", "Phenylephrine", "去氧肾上腺素"),
        ("VASOPRESSIN", "Vasopressin", "血管加压素"),
        ("OTHER", "Other", "其他"),
    ),
)
PRESSURE_REASON = CodeList(
    "CL_PPV_REASON",
    (
        ("HYPOXIA", "Hypoxia", "低氧"),
        ("AIRWAY_PROTECTION", "Airway protection", "气道保护"),
        ("PROCEDURE", "Procedure", "操作需要"),
    ),
)
ICE_UNABLE = CodeList(
    "CL_ICE_UNABLE",
    (
        ("UNAROUSABLE", "Cannot be roused", "无法唤醒"),
        ("SEDATED", "Sedated", "镇静中"),
        ("REFUSED", "Refused", "拒绝"),
        ("LANGUAGE", "Language", "语言障碍"),
    ),
)
CONSCIOUSNESS = CodeList(
    "CL_LOC",
    (
        ("NORMAL", "Normal", "正常"),
        ("AWAKENS_SPONTANEOUSLY", "Awakens spontaneously", "可自行觉醒"),
        ("AWAKENS_TO_VOICE", "Awakens to voice", "呼唤可唤醒"),
        ("AWAKENS_TO_TACTILE_ONLY", "Awakens to touch only", "仅触觉刺激可唤醒"),
        (
            "UNAROUSABLE_OR_VIGOROUS_STIMULI",
            "Unarousable, or only by vigorous or repeated stimuli",
            "无法唤醒或需强烈、反复刺激",
        ),
        ("STUPOR_OR_COMA", "Stupor or coma", "昏睡或昏迷"),
    ),
)
SEIZURE = CodeList(
    "CL_SEIZURE",
    (
        ("NONE", "None", "无"),
        (
            "RAPIDLY_RESOLVING_OR_NONCONVULSIVE_EEG_RESOLVING",
            "Clinical and rapidly resolving, or EEG only and resolving with intervention",
            "临床发作迅速缓解,或仅脑电图发作且干预后缓解",
        ),
        ("PROLONGED_GT_5MIN", "Prolonged, over 5 min", "持续超过5分钟"),
        (
            "REPETITIVE_WITHOUT_RETURN_TO_BASELINE",
            "Repeated without return to baseline",
            "反复发作且间期未恢复至基线",
        ),
    ),
)
CEREBRAL_EDEMA = CodeList(
    "CL_EDEMA",
    (
        ("NONE", "None", "无"),
        ("FOCAL_EDEMA", "Focal oedema on imaging", "影像学局灶性水肿"),
        ("DIFFUSE_EDEMA", "Diffuse oedema on imaging", "影像学弥漫性水肿"),
        ("DECEREBRATE_OR_DECORTICATE", "Decerebrate or decorticate posture", "去大脑或去皮层强直"),
        ("CN_VI_PALSY", "Sixth nerve palsy", "展神经(第VI对脑神经)麻痹"),
        ("PAPILLEDEMA", "Papilloedema", "视乳头水肿"),
        ("CUSHING_TRIAD", "Cushing's triad", "库欣三联征"),
    ),
)
PK_SPECIMEN = CodeList(
    "CL_PK_SPECIMEN",
    (
        ("PB", "Peripheral blood", "外周血"),
        ("BM", "Bone marrow", "骨髓"),
        ("CSF", "Cerebrospinal fluid", "脑脊液"),
    ),
)
PK_ASSAY = CodeList(
    "CL_PK_ASSAY", (("QPCR", "Quantitative PCR", "定量PCR"), ("FLOW", "Flow cytometry", "流式细胞术"))
)
SAMPLE_QUALITY = CodeList(
    "CL_SAMPLE_QUALITY",
    (
        ("OK", "Fit for the assay", "合格"),
        ("HAEMOLYSED", "Haemolysed", "溶血"),
        ("WRONG_TUBE", "Wrong tube", "采血管错误"),
        ("CLOTTED", "Clotted", "凝固"),
        ("OTHER", "Otherwise unfit", "其他不合格"),
    ),
)
RESPONSE = CodeList(
    "CL_RESP",
    (
        ("CR", "Complete remission", "完全缓解(CR)"),
        ("CRi", "Complete remission, incomplete count recovery", "完全缓解伴血细胞未完全恢复(CRi)"),
        ("NR", "No response", "未缓解(NR)"),
        ("PD", "Progressive disease", "疾病进展(PD)"),
        ("RELAPSE", "Relapse", "复发"),
        ("NE", "Not evaluable", "无法评估(NE)"),
    ),
)
RELAPSE_CD19 = CodeList(
    "CL_RELAPSE_CD19",
    (
        ("CD19_POSITIVE", "CD19 positive", "CD19阳性"),
        ("CD19_NEGATIVE", "CD19 negative", "CD19阴性"),
        ("MIXED", "Mixed", "混合"),
        ("NK", "Not known", "不详"),
    ),
)
CONTACT = CodeList(
    "CL_CONTACT",
    (
        ("VISIT", "Visit", "到院访视"),
        ("PHONE", "Telephone", "电话"),
        ("RECORD_REVIEW", "Review of records", "病历查阅"),
        ("REGISTRY", "Registry", "登记系统"),
    ),
)
VITAL_STATUS = CodeList(
    "CL_VITAL", (("ALIVE", "Alive", "存活"), ("DEAD", "Dead", "死亡"), ("LOST", "Lost to follow-up", "失访"))
)
DISEASE_STATUS = CodeList(
    "CL_DISEASE_STATUS",
    (
        ("IN_REMISSION", "In remission", "缓解中"),
        ("RELAPSED", "Relapsed", "已复发"),
        ("NK", "Not known", "不详"),
    ),
)
RCL_RESULT = CodeList(
    "CL_RCL",
    (("NEGATIVE", "Negative", "阴性"), ("POSITIVE", "Positive", "阳性"), ("NOT_DONE", "Not done", "未做")),
)
MISSED_REASON = CodeList(
    "CL_VISIT_MISSED",
    (
        ("MISSED", "Missed", "漏访"),
        ("COVID", "COVID-19", "新冠疫情"),
        ("SUBJECT_DECISION", "Subject's decision", "受试者决定"),
        ("DEATH", "Death", "死亡"),
        ("OTHER", "Other", "其他"),
    ),
)
