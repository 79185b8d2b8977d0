"""The words under which institutions send a test, by the item they fill. A word is one token; case does not matter."""

LAB_WORDS: dict[str, str] = {
    "wbc": "wbc leukocytes leukocyte 白细胞 白细胞计数",
    "anc": "anc neut neutrophils 中性粒细胞 中性粒细胞绝对值",
    "alc": "alc lym lymph lymphocytes 淋巴细胞 淋巴细胞绝对值",
    "hgb": "hgb hb hemoglobin haemoglobin 血红蛋白",
    "plt": "plt plat platelets platelet 血小板 血小板计数",
    "monocytes": "mono monocytes 单核细胞",
    "reticulocytes": "reti retic reticulocytes 网织红细胞",
    "blast_pb_pct": "blast blasts 原始细胞",
    "creatinine": "creat crea scr creatinine 肌酐",
    "alt": "alt gpt 丙氨酸氨基转移酶 谷丙转氨酶",
    "ast": "ast got 天门冬氨酸氨基转移酶 谷草转氨酶",
    "tbil": "bili tbil bilirubin 总胆红素",
    "dbil": "bildir dbil 直接胆红素",
    "alp": "alp 碱性磷酸酶",
    "ggt": "ggt γ-谷氨酰转移酶",
    "ldh": "ldh 乳酸脱氢酶",
    "albumin": "alb albumin 白蛋白",
    "urea": "urea bun ureanitrogen 尿素",
    "uric_acid": "urate ua 尿酸",
    "glucose": "gluc glu glucose 葡萄糖",
    "sodium": "sodium na 钠",
    "potassium": "k potassium 钾",
    "calcium": "ca calcium 钙",
    "phosphate": "phos phosphate 无机磷",
    "magnesium": "mg magnesium 镁",
    "crp": "crp c反应蛋白",
    "ferritin": "ferritin ferr 铁蛋白",
    "triglycerides": "trig tg triglycerides 甘油三酯",
    "inr": "inr 国际标准化比值",
    "aptt": "aptt 活化部分凝血活酶时间",
    "fibrinogen": "fibrino fib fibrinogen 纤维蛋白原",
    "d_dimer": "ddimer d-dimer d-二聚体",
}


CYTOKINE_WORDS: dict[str, str] = {
    "il6": "il6 il-6 白介素-6",
    "il2": "il2 il-2 白介素-2",
    "il10": "il10 il-10 白介素-10",
    "ifn_gamma": "ifn-γ ifng ifn-gamma γ-干扰素",
    "tnf_alpha": "tnf-α tnfa tnf-alpha 肿瘤坏死因子-α",
    "il8": "il8 il-8 白介素-8",
    "mcp1": "mcp1 mcp-1 单核细胞趋化蛋白-1",
    "gm_csf": "gm-csf gmcsf",
    "sil2r": "sil2r sil-2r cd25 可溶性白介素-2受体",
}


VITAL_WORDS: dict[str, str] = {
    "temp_c": "temp temperature 体温",
    "sbp": "sysbp sbp 收缩压",
    "dbp": "diabp dbp 舒张压",
    "pulse": "pulse hr 脉搏",
    "resp_rate": "resp rr 呼吸频率 呼吸",
    "spo2_pct": "oxysat spo2 血氧饱和度",
    "height_cm": "height 身高",
    "weight_kg": "weight 体重",
}
