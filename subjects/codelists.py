"""Closed answers of the forms about the subject. Codes are permanent; labels may be reworded."""

from trial.codes import CodeList

# Consent and demographics

CONSENT_TYPE = CodeList(
    "CL_CONSENT",
    (
        ("INITIAL", "Initial consent", "首次知情同意"),
        ("RECONSENT", "Re-consent", "再次知情同意"),
        ("OPTIONAL_BIOBANK", "Optional biobanking", "可选样本库储存"),
        ("LTFU", "Long-term follow-up", "长期随访"),
        ("WITHDRAWAL", "Withdrawal of consent", "撤回知情同意"),
    ),
)
WITHDRAWAL_SCOPE = CodeList(
    "CL_WITHDRAWAL",
    (
        ("TREATMENT", "Study treatment", "研究治疗"),
        ("ASSESSMENTS", "Study assessments", "研究检查"),
        ("SURVIVAL_FU", "Survival follow-up", "生存随访"),
        ("SAMPLES", "Use of samples", "样本使用"),
    ),
)
SEX = CodeList("CL_SEX", (("M", "Male", "男"), ("F", "Female", "女")))
ETHNIC_GROUP = CodeList(
    "CL_ETHNIC",
    (
        ("HAN", "Han Chinese", "汉族"),
        ("OTHER_CN", "Other Chinese ethnic group", "中国其他民族"),
        ("NON_CN", "Not Chinese", "非中国人"),
    ),
)
RACE = CodeList(
    "CL_RACE",
    (
        ("ASIAN", "Asian", "亚洲人"),
        ("WHITE", "White", "白人"),
        ("BLACK", "Black", "黑人"),
        ("OTHER", "Other", "其他"),
        ("NOT_REPORTED", "Not reported", "未报告"),
    ),
)
NONCHILDBEARING_REASON = CodeList(
    "CL_NONCHILDBEARING",
    (
        ("POSTMENOPAUSAL", "Postmenopausal", "绝经后"),
        ("HYSTERECTOMY", "Hysterectomy", "子宫切除术后"),
        ("BILAT_OOPHORECTOMY", "Bilateral oophorectomy", "双侧卵巢切除术后"),
        ("BILAT_SALPINGECTOMY", "Bilateral salpingectomy", "双侧输卵管切除术后"),
        ("OTHER", "Other", "其他"),
    ),
)

# Disease history

IMMUNOPHENOTYPE = CodeList(
    "CL_IMMUNOPHENOTYPE",
    (
        ("B_COMMON", "Common B", "普通B细胞型"),
        ("PRO_B", "Pro-B", "早期前B细胞型（Pro-B）"),
        ("PRE_B", "Pre-B", "前B细胞型（Pre-B）"),
        ("MATURE_B", "Mature B", "成熟B细胞型"),
        ("B_NOS", "B lineage, not further specified", "B系，未进一步分型"),
        ("MIXED", "Mixed phenotype", "混合表型"),
        ("T", "T cell", "T细胞型"),
    ),
)
PH_STATUS = CodeList(
    "CL_PH",
    (("POSITIVE", "Positive", "阳性"), ("NEGATIVE", "Negative", "阴性"), ("UNKNOWN", "Unknown", "未知")),
)
BCR_ABL_TRANSCRIPT = CodeList(
    "CL_TRANSCRIPT",
    (
        ("P190", "p190", "p190"),
        ("P210", "p210", "p210"),
        ("OTHER", "Other", "其他"),
        ("NK", "Not known", "不详"),
    ),
)
CYTOGENETIC_RISK = CodeList(
    "CL_CYTOGENETIC_RISK",
    (("STANDARD", "Standard", "标准风险"), ("POOR", "Poor", "预后不良"), ("NK", "Not known", "不详")),
)
RELAPSE_TYPE = CodeList(
    "CL_RELAPSE_TYPE",
    (
        ("BM_ISOLATED", "Isolated marrow relapse", "孤立性骨髓复发"),
        ("EM_ISOLATED", "Isolated extramedullary relapse", "孤立性髓外复发"),
        ("COMBINED", "Marrow and extramedullary relapse", "骨髓合并髓外复发"),
        ("MRD_ONLY", "MRD relapse only", "仅微小残留病复发"),
    ),
)
EXTRAMEDULLARY_SITE = CodeList(
    "CL_EM_SITE",
    (
        ("CNS", "Central nervous system", "中枢神经系统"),
        ("TESTIS", "Testis", "睾丸"),
        ("SKIN", "Skin", "皮肤"),
        ("LYMPH_NODE", "Lymph node", "淋巴结"),
        ("OTHER", "Other", "其他"),
    ),
)
CNS_STATUS = CodeList(
    "CL_CNS",
    (
        ("CNS1", "CNS1", "CNS1"),
        ("CNS2", "CNS2", "CNS2"),
        ("CNS3", "CNS3", "CNS3"),
        ("UNKNOWN", "Unknown", "未知"),
    ),
)

# Prior transplant and prior therapy

SCT_TYPE = CodeList("CL_SCT_TYPE", (("ALLO", "Allogeneic", "异基因"), ("AUTO", "Autologous", "自体")))
DONOR_TYPE = CodeList(
    "CL_DONOR",
    (
        ("MSD", "Matched sibling", "同胞全相合供者"),
        ("MUD", "Matched unrelated", "非血缘全相合供者"),
        ("HAPLO", "Haploidentical", "单倍体供者"),
        ("CORD", "Cord blood", "脐带血"),
        ("OTHER", "Other", "其他"),
    ),
)
CONDITIONING = CodeList(
    "CL_CONDITIONING",
    (
        ("MAC", "Myeloablative", "清髓性预处理"),
        ("RIC", "Reduced intensity", "减低强度预处理"),
        ("NMA", "Non-myeloablative", "非清髓性预处理"),
    ),
)
CGVHD = CodeList(
    "CL_CGVHD",
    (
        ("NONE", "None", "无"),
        ("MILD", "Mild", "轻度"),
        ("MODERATE", "Moderate", "中度"),
        ("SEVERE", "Severe", "重度"),
    ),
)
PRIOR_THERAPY_CATEGORY = CodeList(
    "CL_PRIOR_THERAPY",
    (
        ("CHEMO", "Chemotherapy", "化疗"),
        ("TKI", "Tyrosine kinase inhibitor", "酪氨酸激酶抑制剂"),
        ("BLINATUMOMAB", "Blinatumomab", "贝林妥欧单抗"),
        ("INOTUZUMAB", "Inotuzumab ozogamicin", "奥加伊妥珠单抗"),
        ("CAR_T", "CAR-T cells", "CAR-T细胞治疗"),
        ("OTHER_MAB", "Other antibody", "其他抗体药物"),
        ("RADIOTHERAPY", "Radiotherapy", "放疗"),
        ("STEROID", "Glucocorticoid", "糖皮质激素"),
        ("IMP", "Investigational product", "试验用药品"),
        ("OTHER", "Other", "其他"),
    ),
)
TARGET_ANTIGEN = CodeList(
    "CL_ANTIGEN",
    (
        ("CD19", "CD19", "CD19"),
        ("CD3", "CD3", "CD3"),
        ("CD22", "CD22", "CD22"),
        ("CD20", "CD20", "CD20"),
        ("OTHER", "Other", "其他"),
    ),
)
TKI_NAME = CodeList(
    "CL_TKI",
    (
        ("IMATINIB", "Imatinib", "伊马替尼"),
        ("DASATINIB", "Dasatinib", "达沙替尼"),
        ("NILOTINIB", "Nilotinib", "尼洛替尼"),
        ("BOSUTINIB", "Bosutinib", "博舒替尼"),
        ("PONATINIB", "Ponatinib", "普纳替尼"),
        ("FLUMATINIB", "Flumatinib", "氟马替尼"),
        ("OLVEREMBATINIB", "Olverembatinib", "奥雷巴替尼"),
    ),
)
TKI_OUTCOME = CodeList(
    "CL_TKI_OUTCOME",
    (
        ("FAILED", "Failed", "治疗失败"),
        ("INTOLERANT", "Not tolerated", "不耐受"),
        ("ONGOING", "Ongoing", "持续用药"),
        ("CONTRAINDICATED", "Contraindicated", "存在禁忌"),
    ),
)
BEST_RESPONSE = CodeList(
    "CL_BEST_RESPONSE",
    (
        ("CR", "CR", "完全缓解（CR）"),
        ("CRi", "CRi", "完全缓解伴血细胞计数未完全恢复（CRi）"),
        ("PR", "PR", "部分缓解（PR）"),
        ("NR", "No response", "未缓解（NR）"),
        ("NE", "Not evaluable", "不可评价（NE）"),
    ),
)

# Medical history

MH_CATEGORY = CodeList(
    "CL_MHCAT",
    (
        ("OTHER_MALIGNANCY", "Other malignancy", "其他恶性肿瘤"),
        ("CNS", "Central nervous system", "中枢神经系统疾病"),
        ("CARDIAC", "Cardiac", "心脏疾病"),
        ("AUTOIMMUNE", "Autoimmune", "自身免疫性疾病"),
        ("IMMUNODEFICIENCY", "Immunodeficiency", "免疫缺陷"),
        ("ALLERGY", "Allergy", "过敏"),
        ("INFECTION", "Infection", "感染"),
        ("OTHER", "Other", "其他"),
    ),
)
CNS_SUBTYPE = CodeList(
    "CL_CNS_SUBTYPE",
    (
        ("EPILEPSY", "Epilepsy", "癫痫"),
        ("CVA_ISCHAEMIC", "Cerebrovascular ischaemia", "缺血性脑血管病"),
        ("CVA_HAEMORRHAGE", "Cerebrovascular haemorrhage", "出血性脑血管病"),
        ("DEMENTIA", "Dementia", "痴呆"),
        ("CEREBELLAR", "Cerebellar disease", "小脑疾病"),
        ("CNS_AUTOIMMUNE", "CNS autoimmune disease", "中枢神经系统自身免疫病"),
        ("OTHER_CNS", "Other CNS disease", "其他中枢神经系统疾病"),
    ),
)
CARDIAC_SUBTYPE = CodeList(
    "CL_CARDIAC_SUBTYPE",
    (
        ("MI", "Myocardial infarction", "心肌梗死"),
        ("UNSTABLE_ANGINA", "Unstable angina", "不稳定型心绞痛"),
        ("ANGIOPLASTY_STENT", "Angioplasty or stent", "血管成形术或支架植入术"),
        ("OTHER_SIGNIFICANT", "Other clinically significant", "其他有临床意义的心脏病"),
    ),
)
MH_SUBTYPE = CodeList("CL_MH_SUBTYPE", (*CNS_SUBTYPE.rows, *CARDIAC_SUBTYPE.rows))
ALLERGEN_CLASS = CodeList(
    "CL_ALLERGEN",
    (
        ("AMINOGLYCOSIDE", "Aminoglycoside", "氨基糖苷类"),
        ("FLUDARABINE", "Fludarabine", "氟达拉滨"),
        ("CYCLOPHOSPHAMIDE", "Cyclophosphamide", "环磷酰胺"),
        ("TOCILIZUMAB", "Tocilizumab", "托珠单抗"),
        ("DMSO", "Dimethyl sulfoxide", "二甲基亚砜（DMSO）"),
        ("ALBUMIN", "Albumin", "白蛋白"),
        ("OTHER_STUDY_DRUG", "Other study drug", "其他研究用药"),
        ("OTHER", "Other", "其他"),
    ),
)
REACTION_TYPE = CodeList(
    "CL_REACTION",
    (
        ("IMMEDIATE_SEVERE", "Immediate, severe", "速发型，重度"),
        ("IMMEDIATE_MILD", "Immediate, mild", "速发型，轻度"),
        ("DELAYED", "Delayed", "迟发型"),
    ),
)

# Screening

DNA_RESULT = CodeList(
    "CL_DNA",
    (
        ("NOT_DETECTED", "Not detected", "未检出"),
        ("DETECTED_BELOW_LLOQ", "Detected, below quantification", "检出，低于定量下限"),
        ("DETECTED", "Detected", "检出"),
        ("NOT_DONE", "Not done", "未做"),
    ),
)
SARS_COV_2_METHOD = CodeList(
    "CL_SARS_COV_2_METHOD", (("PCR", "Nucleic acid (PCR)", "核酸（PCR）"), ("ANTIGEN", "Antigen", "抗原"))
)
PREGNANCY_SPECIMEN = CodeList(
    "CL_PREGNANCY_SPECIMEN",
    (("SERUM_HCG", "Serum hCG", "血清hCG"), ("URINE_HCG", "Urine hCG", "尿hCG")),
)
CONTRACEPTION_METHOD = CodeList(
    "CL_CONTRACEPTION",
    (
        ("IUD", "Intrauterine device", "宫内节育器"),
        ("IMPLANT", "Contraceptive implant", "皮下埋植避孕"),
        ("COC", "Combined oral contraceptive", "复方口服避孕药"),
        ("DEPO", "Injectable progestogen", "孕激素避孕针"),
        ("VASECTOMY", "Vasectomy (subject or partner)", "输精管结扎（本人或伴侣）"),
        ("CONDOM+SPERMICIDE", "Condom with spermicide", "避孕套加杀精剂"),
        ("ABSTINENCE", "Sexual abstinence", "禁欲"),
        ("STERILE", "Permanently sterile", "永久性绝育"),
    ),
)
EXPANSION = CodeList(
    "CL_EXPANSION",
    (
        ("QUALIFIED", "Qualified", "合格"),
        ("NOT_QUALIFIED", "Not qualified", "不合格"),
        ("PENDING", "Pending", "待定"),
    ),
)
INFECTION_TYPE = CodeList(
    "CL_INFECTION_TYPE",
    (
        ("BACTERIA", "Bacteria", "细菌"),
        ("FUNGI", "Fungi", "真菌"),
        ("VIRUS", "Virus", "病毒"),
        ("MYCOPLASMA", "Mycoplasma", "支原体"),
        ("OTHER", "Other", "其他"),
    ),
)

# Eligibility

MILESTONE = CodeList(
    "CL_MILESTONE",
    (
        ("SCREENING", "Screening", "筛选"),
        ("PRE_APHERESIS", "Before apheresis", "单采前"),
        ("PRE_LD", "Before lymphodepletion", "清淋前"),
        ("PRE_INFUSION", "Before infusion", "回输前"),
    ),
)
VERDICT = CodeList(
    "CL_VERDICT",
    (("MET", "Met", "符合"), ("NOT_MET", "Not met", "不符合"), ("UNKNOWN", "Unknown", "未知")),
)
OVERALL = CodeList(
    "CL_OVERALL",
    (
        ("ELIGIBLE", "Eligible", "合格"),
        ("INELIGIBLE", "Not eligible", "不合格"),
        ("UNKNOWN", "Cannot be told yet", "尚不能判定"),
    ),
)

# Disposition

PHASE = CodeList("CL_PHASE", (("TREATMENT", "Treatment", "治疗期"), ("STUDY", "Study", "整个研究")))
END_REASON = CodeList(
    "CL_END_REASON",
    (
        ("COMPLETED", "Completed", "完成"),
        ("DEATH", "Death", "死亡"),
        ("LOST", "Lost to follow-up", "失访"),
        ("WITHDRAWAL_SUBJECT", "Withdrawal by the subject", "受试者退出"),
        ("PHYSICIAN", "Physician's decision", "研究者决定"),
        ("SCREEN_FAILURE", "Screen failure", "筛选失败"),
        ("MANUFACTURING_FAILURE", "Manufacturing failure", "制备失败"),
        ("AE", "Adverse event", "不良事件"),
        ("DISEASE_PROGRESSION", "Disease progression", "疾病进展"),
        ("SPONSOR", "Sponsor's decision", "申办方决定"),
    ),
)
DEATH_CAUSE = CodeList(
    "CL_DEATH_CAUSE",
    (
        ("LEUKAEMIA", "Leukaemia", "白血病"),
        ("CRS", "Cytokine release syndrome", "细胞因子释放综合征"),
        ("ICANS", "ICANS", "免疫效应细胞相关神经毒性综合征"),
        ("IEC_HS", "IEC-HS", "免疫效应细胞相关噬血综合征"),
        ("INFECTION", "Infection", "感染"),
        ("GVHD", "Graft-versus-host disease", "移植物抗宿主病"),
        ("HAEMORRHAGE", "Haemorrhage", "出血"),
        ("OTHER_TRM", "Other treatment-related", "其他治疗相关"),
        ("UNRELATED", "Unrelated to disease or treatment", "与疾病及治疗无关"),
        ("UNKNOWN", "Unknown", "未知"),
    ),
)
RELATEDNESS = CodeList(
    "CL_REL",
    (
        ("UNRELATED", "Unrelated", "无关"),
        ("UNLIKELY", "Unlikely", "可能无关"),
        ("POSSIBLE", "Possible", "可能有关"),
        ("PROBABLE", "Probable", "很可能有关"),
        ("RELATED", "Related", "肯定有关"),
    ),
)
SUBSEQUENT_THERAPY = CodeList(
    "CL_SUBSEQUENT_THERAPY",
    (
        ("ALLO_SCT", "Allogeneic transplant", "异基因造血干细胞移植"),
        ("CHEMO", "Chemotherapy", "化疗"),
        ("CAR_T", "CAR-T cells", "CAR-T细胞治疗"),
        ("BLINATUMOMAB", "Blinatumomab", "贝林妥欧单抗"),
        ("INOTUZUMAB", "Inotuzumab ozogamicin", "奥加伊妥珠单抗"),
        ("TKI", "Tyrosine kinase inhibitor", "酪氨酸激酶抑制剂"),
        ("DLI", "Donor lymphocyte infusion", "供者淋巴细胞输注"),
        ("RADIO", "Radiotherapy", "放疗"),
        ("OTHER", "Other", "其他"),
    ),
)
SUBSEQUENT_INDICATION = CodeList(
    "CL_SUBSEQUENT_INDICATION",
    (
        ("CONSOLIDATION", "Consolidation", "巩固治疗"),
        ("MRD", "Residual disease (MRD)", "微小残留病（MRD）"),
        ("RELAPSE", "Relapse", "复发"),
        ("REFRACTORY", "Refractory disease", "难治"),
    ),
)
