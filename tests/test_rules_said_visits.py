"""What the rules of visits, samples, reporting and screening say, word for word."""

from datetime import date
from decimal import Decimal

import pytest

from subjects.models import EndOfStudy
from tests import test_rules_eligibility as eligibility
from tests import test_rules_rechecks as rechecks
from tests.books import at
from tests.people import also, both, put, without
from tests.said import Said, check
from tests.test_rules_visits import day

D = Decimal
ROWS = [
    # visits, assessments and samples
    Said("DV-51", put("D2", actual_date=date(2026, 3, 19)), False, "visit.actual_date",
     "Day 2 on 2026-03-19, outside its window 2026-03-18 to 2026-03-18.",
     "第2天实际日期 2026-03-19,超出窗口 2026-03-18 至 2026-03-18。",
     "2026-03-18 – 2026-03-18",
     "visit.actual_date 2026-03-19"),
    Said("DV-52", without("D2"), False, "visit.actual_date",
     "Day 2: no visit by the end of its window, 2026-03-18.",
     "第2天:窗口截止日 2026-03-18 前无访视记录。",
     "≤ 2026-03-18",
     "visit.actual_date"),
    Said("DV-52", put("D2", actual_date=None, missed_reason="SUBJECT_DECISION"), False, "visit.actual_date",
     "Day 2: no visit by the end of its window, 2026-03-18 (Subject's decision).",
     "第2天:窗口截止日 2026-03-18 前无访视记录(受试者决定)。",
     "≤ 2026-03-18",
     "visit.actual_date"),
    Said("DV-52", put("D2", actual_date=None, not_done=True, not_done_reason="SUBJECT_REFUSED"), False, "visit.actual_date",
     "Day 2: no visit by the end of its window, 2026-03-18 (Subject refused).",
     "第2天:窗口截止日 2026-03-18 前无访视记录(受试者拒绝)。",
     "≤ 2026-03-18",
     "visit.actual_date"),
    Said("DV-53", without("D2 coagulation"), False, "visit.actual_date",
     "Coagulation is missing at D2 (2026-03-18); the visit's window ended on 2026-03-18.",
     "D2(2026-03-18)缺少凝血功能;访视窗口已于 2026-03-18 结束。",
     "coagulation",
     "visit.visit D2; visit.actual_date 2026-03-18"),
    Said("DV-53", put("D2 coagulation", not_done=True), False, "coagulation.not_done",
     "Coagulation was not done at D2 (2026-03-18).",
     "D2(2026-03-18)未进行凝血功能。",
     "coagulation",
     "coagulation.not_done True; visit.actual_date 2026-03-18"),
    Said("DV-54", without("D1 pk"), False, "infusion.inf_start_dt",
     "Day 1: no PK sample is recorded; it was due from 2026-03-16 to 2026-03-18.",
     "第1天:无药代动力学样本记录;应于 2026-03-16 至 2026-03-18 采集。",
     "2026-03-16 – 2026-03-18",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00"),
    Said("DV-54", put("D1 pk", collect_dt=day(3)), False, "pk_sample.collect_dt",
     "The PK sample of D1 was taken on 2026-03-19, outside 2026-03-16 to 2026-03-18.",
     "D1 的药代动力学样本采于 2026-03-19,超出 2026-03-16 至 2026-03-18。",
     "2026-03-16 – 2026-03-18",
     "pk_sample.collect_dt 2026-03-19T10:00:00+08:00; pk_sample.nominal_day 1"),
    Said("DV-54", put("D1 pk", collect_dt=None), True, "pk_sample.collect_dt",
     "Day 1: the time of its PK sample is not entered; it was due from 2026-03-16 to 2026-03-18.",
     "第1天:未填写药代动力学采样时间;应于 2026-03-16 至 2026-03-18 采集。",
     "2026-03-16 – 2026-03-18",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00; pk_sample.collect_dt"),
    Said("DV-55", put("D1 pk", sample_quality="HAEMOLYSED"), False, "pk_sample.sample_quality",
     "PK sample of 2026-03-17: haemolysed.",
     "2026-03-17 的药代动力学样本:溶血。",
     "OK",
     "pk_sample.sample_quality HAEMOLYSED; pk_sample.gdna_ug 0.2; pk_sample.collect_dt 2026-03-17T08:00:00+08:00"),
    Said("DV-55", put("D1 pk", gdna_ug=D("0.0999")), False, "pk_sample.gdna_ug",
     "PK sample of 2026-03-17: 0.0999 ug genomic DNA.",
     "2026-03-17 的药代动力学样本:基因组 DNA 0.0999 ug。",
     "≥ 0.1 ug",
     "pk_sample.sample_quality OK; pk_sample.gdna_ug 0.0999; pk_sample.collect_dt 2026-03-17T08:00:00+08:00"),
    Said("DV-55", put("D1 pk", gdna_ug=None, sample_quality="", collect_dt=None), True, "pk_sample.sample_quality",
     "PK sample of D1: neither quality nor genomic DNA is entered.",
     "D1 的药代动力学样本:未填写标本质量及基因组 DNA 量。",
     "OK, ≥ 0.1 ug",
     "pk_sample.sample_quality; pk_sample.gdna_ug; pk_sample.collect_dt"),
    Said("DV-55", put("D1 pk", gdna_ug=D("0.05"), collect_dt=None, visit=""), False, "pk_sample.gdna_ug",
     "PK sample of —: 0.05 ug genomic DNA.",
     "— 的药代动力学样本:基因组 DNA 0.05 ug。",
     "≥ 0.1 ug",
     "pk_sample.sample_quality OK; pk_sample.gdna_ug 0.05; pk_sample.collect_dt"),
    Said("DV-56", without("D2 crs"), False, "infusion.inf_start_dt",
     "CRS assessment of Day 2 (2026-03-18): no assessment is recorded.",
     "第 2 天(2026-03-18)CRS评估:无评估记录。",
     "2026-03-18",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00"),
    Said("DV-56", put("D2 crs", assess_dt=None), True, "crs_assessment.assess_dt",
     "CRS assessment of Day 2 (2026-03-18): its time is not entered.",
     "第 2 天(2026-03-18)CRS评估:未填写评估时间。",
     "2026-03-18",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00"),
    Said("DV-56", both(put("D3", actual_date=None, missed_reason="OTHER"), without("D3 crs",
     "D3 icans")), True, "infusion.inf_start_dt",
     "ICANS assessment of Day 3 (2026-03-19): no assessment is recorded, and the reason of the missed visit does not say whether the "
     "subject was in hospital.",
     "第 3 天(2026-03-19)ICANS评估:无评估记录,且未访视原因未说明受试者当时是否在院。",
     "2026-03-19",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00; visit.missed_reason OTHER; visit.not_done_reason"),
    # safety reporting, follow-up, closeout
    Said("DV-59", put("event", sae_report_dt=at("2026-03-19", "10:01")), False, "adverse_event.sae_report_dt",
     "Serious adverse event: aware 2026-03-18 10:00, due 2026-03-19 10:00, reported 2026-03-19 10:01.",
     "严重不良事件:获知于 2026-03-18 10:00,应于 2026-03-19 10:00 前报告,报告于 2026-03-19 10:01。",
     "≤ 24 h",
     "adverse_event.sae_aware_dt 2026-03-18T10:00:00+08:00; adverse_event.sae_report_dt 2026-03-19T10:01:00+08:00"),
    Said("DV-59", put("event", sae_report_dt=None), False, "adverse_event.sae_report_dt",
     "Serious adverse event: aware 2026-03-18 10:00, due 2026-03-19 10:00, not reported yet.",
     "严重不良事件:获知于 2026-03-18 10:00,应于 2026-03-19 10:00 前报告,尚未报告。",
     "≤ 24 h",
     "adverse_event.sae_aware_dt 2026-03-18T10:00:00+08:00; adverse_event.sae_report_dt"),
    Said("DV-59", put("event", sae_aware_dt=None), True, "adverse_event.sae_aware_dt",
     "Whether this serious adverse event was reported in time cannot be told: the time of awareness is not entered.",
     "无法判定该严重不良事件是否按时报告:未填写获知时间。",
     "≤ 24 h",
     "adverse_event.serious True; adverse_event.sae_aware_dt; adverse_event.sae_report_dt 2026-03-19T09:59:00+08:00"),
    Said("DV-60", put("event", expected=None), True, "adverse_event.expected",
     "Whether this serious event had to be submitted as a SUSAR in time cannot be told: relation to ssCART-19 or expectedness is not "
     "entered.",
     "无法判定该严重不良事件是否须作为 SUSAR 按时递交:未填写与 ssCART-19 的相关性或是否预期。",
     "",
     "adverse_event.serious True; adverse_event.expected; adverse_event.rel_sscart19 POSSIBLE; adverse_event.sae_aware_dt "
     "2026-03-18T10:00:00+08:00"),
    Said("DV-60", put("event", expected=False, sae_aware_dt=None), True, "adverse_event.sae_aware_dt",
     "Whether this serious event had to be submitted as a SUSAR in time cannot be told: the time of awareness is not entered.",
     "无法判定该严重不良事件是否须作为 SUSAR 按时递交:未填写获知时间。",
     "",
     "adverse_event.serious True; adverse_event.expected False; adverse_event.rel_sscart19 POSSIBLE; adverse_event.sae_aware_dt"),
    Said("DV-60", put("event", expected=False, sae_aware_dt=at("2026-03-01")), False, "adverse_event.susar_submitted_dt",
     "SUSAR: the site became aware on 2026-03-01 10:00, due 2026-03-16 10:00, not submitted yet.",
     "SUSAR:研究中心获知于 2026-03-01 10:00,应于 2026-03-16 10:00 前递交,尚未递交。",
     "≤ 15 d",
     "adverse_event.sae_aware_dt 2026-03-01T10:00:00+08:00; adverse_event.susar_submitted_dt; adverse_event.sae_criteria"),
    Said("DV-60", put("event", expected=False, sae_aware_dt=at("2026-03-01"),
     susar_submitted_dt=at("2026-03-17")), False, "adverse_event.susar_submitted_dt",
     "SUSAR: the site became aware on 2026-03-01 10:00, due 2026-03-16 10:00, submitted 2026-03-17 10:00.",
     "SUSAR:研究中心获知于 2026-03-01 10:00,应于 2026-03-16 10:00 前递交,递交于 2026-03-17 10:00。",
     "≤ 15 d",
     "adverse_event.sae_aware_dt 2026-03-01T10:00:00+08:00; adverse_event.susar_submitted_dt 2026-03-17T10:00:00+08:00; "
     "adverse_event.sae_criteria"),
    Said("DV-64", also(EndOfStudy(phase="STUDY", date=date(2026, 3, 20))), True, "end_of_study.phase",
     "The end of the study is recorded (2026-03-20); the investigator has not signed it yet.",
     "已记录研究结束(2026-03-20);研究者尚未签名。",
     "REVIEW",
     "end_of_study.phase STUDY; end_of_study.date 2026-03-20; end_of_study.lock_state OPEN"),
    Said("DV-64", also(EndOfStudy(phase="STUDY", lock_state="LOCKED")), False, "end_of_study.phase",
     "The end of the study is recorded (?); the investigator did not sign it before it was locked.",
     "已记录研究结束(?);研究者锁定前未签名。",
     "REVIEW",
     "end_of_study.phase STUDY; end_of_study.date; end_of_study.lock_state LOCKED"),
    # screening
    Said("DV-11", put("cd19", cd19_result="NEGATIVE"), False, "cd19_flow.specimen",
     "I-02 at the enrolment (2026-02-12): Not met: CD19 specimen Bone marrow (2026-02-10), CD19 method Flow cytometry (2026-02-10), "
     "CD19 result Negative (2026-02-10); Asked: positive by flow cytometry in bone marrow or peripheral blood.",
     "入组(2026-02-12)时 I-02:不符合: CD19标本 骨髓 (2026-02-10), CD19检测方法 流式细胞术 (2026-02-10), CD19结果 阴性 "
     "(2026-02-10);要求: 骨髓或外周血流式细胞术阳性。",
     "positive by flow cytometry in bone marrow or peripheral blood | 骨髓或外周血流式细胞术阳性",
     "cd19_flow.specimen BONE_MARROW; cd19_flow.method FLOW_CYTOMETRY; cd19_flow.cd19_result NEGATIVE; eligibility.assessed_date "
     "2026-02-12"),
    Said("DV-11", put("cd19", cd19_result="INDETERMINATE"), False, "cd19_flow.cd19_result",
     "I-02 at the enrolment (2026-02-12): Cannot be told: CD19 specimen Bone marrow (2026-02-10), CD19 method Flow cytometry "
     "(2026-02-10), CD19 result Indeterminate (2026-02-10); Asked: positive by flow cytometry in bone marrow or peripheral blood.",
     "入组(2026-02-12)时 I-02:不能判定: CD19标本 骨髓 (2026-02-10), CD19检测方法 流式细胞术 (2026-02-10), CD19结果 不确定 "
     "(2026-02-10);要求: 骨髓或外周血流式细胞术阳性。",
     "positive by flow cytometry in bone marrow or peripheral blood | 骨髓或外周血流式细胞术阳性",
     "cd19_flow.cd19_result INDETERMINATE; eligibility.assessed_date 2026-02-12"),
    Said("DV-11", put("cd19", method="IHC"), False, "cd19_flow.method",
     "I-02 at the enrolment (2026-02-12): Cannot be told: CD19 specimen Bone marrow (2026-02-10), CD19 method Immunohistochemistry "
     "(2026-02-10), CD19 result Positive (2026-02-10); Asked: positive by flow cytometry in bone marrow or peripheral blood.",
     "入组(2026-02-12)时 I-02:不能判定: CD19标本 骨髓 (2026-02-10), CD19检测方法 免疫组织化学 (2026-02-10), CD19结果 阳性 "
     "(2026-02-10);要求: 骨髓或外周血流式细胞术阳性。",
     "positive by flow cytometry in bone marrow or peripheral blood | 骨髓或外周血流式细胞术阳性",
     "cd19_flow.method IHC; eligibility.assessed_date 2026-02-12"),
    Said("DV-11", put("cd19", specimen="CSF"), False, "cd19_flow.specimen",
     "I-02 at the enrolment (2026-02-12): Cannot be told: CD19 specimen Cerebrospinal fluid (2026-02-10), CD19 method Flow cytometry "
     "(2026-02-10), CD19 result Positive (2026-02-10); Asked: positive by flow cytometry in bone marrow or peripheral blood.",
     "入组(2026-02-12)时 I-02:不能判定: CD19标本 脑脊液 (2026-02-10), CD19检测方法 流式细胞术 (2026-02-10), CD19结果 阳性 "
     "(2026-02-10);要求: 骨髓或外周血流式细胞术阳性。",
     "positive by flow cytometry in bone marrow or peripheral blood | 骨髓或外周血流式细胞术阳性",
     "cd19_flow.specimen CSF; eligibility.assessed_date 2026-02-12"),
    Said("DV-11", without("cd19"), True, "cd19_flow.specimen",
     "I-02 at the enrolment (2026-02-12): Cannot be told; Asked: positive by flow cytometry in bone marrow or peripheral blood; Not "
     "known: CD19 specimen (missing), CD19 method (missing), CD19 result (missing).",
     "入组(2026-02-12)时 I-02:不能判定;要求: 骨髓或外周血流式细胞术阳性;缺少: CD19标本 (缺失), CD19检测方法 (缺失), CD19结果 "
     "(缺失)。",
     "positive by flow cytometry in bone marrow or peripheral blood | 骨髓或外周血流式细胞术阳性",
     "cd19_flow.specimen; cd19_flow.method; cd19_flow.cd19_result; eligibility.assessed_date 2026-02-12"),
    Said("DV-12", put("echo", lvef_pct=D("49.9")), False, "echo.lvef_pct",
     "I-04a at the enrolment (2026-02-12): Not met: LVEF 49.9 % (2026-02-10), LVEF method Echocardiogram (2026-02-10); Asked: ≥ 50 % "
     "(echocardiogram).",
     "入组(2026-02-12)时 I-04a:不符合: 左室射血分数 49.9 % (2026-02-10), LVEF检测方法 超声心动图 (2026-02-10);要求: ≥ 50 "
     "%(超声心动图)。",
     "≥ 50 % (echocardiogram) | ≥ 50 %(超声心动图)",
     "echo.lvef_pct 49.9; echo.method ECHOCARDIOGRAM; eligibility.assessed_date 2026-02-12"),
    Said("DV-12", put("echo", method="MUGA"), False, "echo.method",
     "I-04a at the enrolment (2026-02-12): Cannot be told: LVEF 62 % (2026-02-10), LVEF method Radionuclide ventriculography (MUGA) "
     "(2026-02-10); Asked: ≥ 50 % (echocardiogram).",
     "入组(2026-02-12)时 I-04a:不能判定: 左室射血分数 62 % (2026-02-10), LVEF检测方法 核素心室造影(MUGA) (2026-02-10);要求: ≥ 50 "
     "%(超声心动图)。",
     "≥ 50 % (echocardiogram) | ≥ 50 %(超声心动图)",
     "echo.method MUGA; eligibility.assessed_date 2026-02-12"),
    Said("DV-12", put("echo", lvef_pct=None), True, "echo.lvef_pct",
     "I-04a at the enrolment (2026-02-12): Cannot be told; Asked: ≥ 50 % (echocardiogram); Not known: LVEF (missing), LVEF method "
     "(missing).",
     "入组(2026-02-12)时 I-04a:不能判定;要求: ≥ 50 %(超声心动图);缺少: 左室射血分数 (缺失), LVEF检测方法 (缺失)。",
     "≥ 50 % (echocardiogram) | ≥ 50 %(超声心动图)",
     "echo.lvef_pct; echo.method ECHOCARDIOGRAM; eligibility.assessed_date 2026-02-12"),
    Said("DV-13", put("chemistry_d0", creatinine_value=D(142)), False, "chemistry.creatinine_value",
     "I-04b at the infusion (2026-03-16): Not met: Creatinine 142 (2026-03-16), Creatinine unit umol/L (2026-03-16); Asked: ≤ 1.6 "
     "mg/dL (141.44 umol/L).",
     "回输(2026-03-16)时 I-04b:不符合: 肌酐 142 (2026-03-16), 肌酐单位 umol/L (2026-03-16);要求: ≤ 1.6 mg/dL (141.44 umol/L)。",
     "≤ 1.6 mg/dL (141.44 umol/L) | ≤ 1.6 mg/dL (141.44 umol/L)",
     "chemistry.creatinine_value 142; chemistry.creatinine_unit umol/L; infusion.inf_start_dt 2026-03-16T10:00:00+08:00"),
    Said("DV-14", put("chemistry_ld", alt_value=D(121)), False, "chemistry.alt_value",
     "I-04c at the start of lymphodepletion (2026-03-11): Not met: ALT 121 U/L (2026-03-10), ALT upper limit 40 U/L (2026-03-10), "
     "AST 25 U/L (2026-03-10), AST upper limit 35 U/L (2026-03-10), Total bilirubin 12 (2026-03-10), Bilirubin unit umol/L "
     "(2026-03-10); Asked: ALT, AST ≤ 3 × ULN; bilirubin ≤ 2.0 mg/dL (34.2 umol/L).",
     "清淋开始(2026-03-11)时 I-04c:不符合: ALT 121 U/L (2026-03-10), ALT参考上限 40 U/L (2026-03-10), AST 25 U/L (2026-03-10), "
     "AST参考上限 35 U/L (2026-03-10), 总胆红素 12 (2026-03-10), 胆红素单位 umol/L (2026-03-10);要求: ALT、AST ≤ 3 × ULN;总胆红素 ≤ "
     "2.0 mg/dL (34.2 umol/L)。",
     "ALT, AST ≤ 3 × ULN; bilirubin ≤ 2.0 mg/dL (34.2 umol/L) | ALT、AST ≤ 3 × ULN;总胆红素 ≤ 2.0 mg/dL (34.2 umol/L)",
     "chemistry.alt_value 121; chemistry.alt_uln 40; lymphodepletion.admin_dt 2026-03-11T10:00:00+08:00"),
    Said("DV-15", put("lungs", room_air=False), True, "pulmonary.room_air",
     "I-04d at the enrolment (2026-02-12): Cannot be told: Dyspnoea grade 0 (2026-02-10), SpO2 98 % (2026-02-10), On room air No "
     "(2026-02-10); Asked: dyspnoea ≤ grade 1; SpO2 > 91 % on room air.",
     "入组(2026-02-12)时 I-04d:不能判定: 呼吸困难分级 0 (2026-02-10), 血氧饱和度 98 % (2026-02-10), 未吸氧 否 (2026-02-10);要求: "
     "呼吸困难≤1级;未吸氧时SpO2>91 %。",
     "dyspnoea ≤ grade 1; SpO2 > 91 % on room air | 呼吸困难≤1级;未吸氧时SpO2>91 %",
     "pulmonary.room_air False; eligibility.assessed_date 2026-02-12"),
    Said("DV-21", rechecks.woman(), False, "pregnancy_test.result",
     "E-14 at the start of lymphodepletion (2026-03-11): Cannot be told: Sex Female, Childbearing potential Yes; Asked: pregnant or "
     "lactating; Not known: Pregnancy test (missing), Lactating (missing).",
     "清淋开始(2026-03-11)时 E-14:不能判定: 性别 女, 有生育能力的女性 是;要求: 妊娠或哺乳;缺少: 妊娠检测 (缺失), 哺乳 (缺失)。",
     "pregnant or lactating | 妊娠或哺乳",
     "pregnancy_test.result; pregnancy_test.lactating; lymphodepletion.admin_dt 2026-03-11T10:00:00+08:00"),
    Said("DV-18", put("serology", hbcab="POSITIVE", hbv_dna_result=""), False, "viral_serology.hbv_dna_result",
     "E-05 at the enrolment (2026-02-12): Cannot be told: HBsAg Negative (2026-02-10), HBeAg Negative (2026-02-10), HBeAb Negative "
     "(2026-02-10), HBcAb Positive (2026-02-10), HCV antibody Negative (2026-02-10), Treponema antibody Negative (2026-02-10), EBV "
     "DNA Not detected (2026-02-10), CMV DNA Not detected (2026-02-10); Asked: a positive marker, or DNA above the limit of "
     "detection; Not known: HBV DNA (missing).",
     "入组(2026-02-12)时 E-05:不能判定: HBsAg 阴性 (2026-02-10), HBeAg 阴性 (2026-02-10), HBeAb 阴性 (2026-02-10), HBcAb 阳性 "
     "(2026-02-10), HCV-Ab 阴性 (2026-02-10), TP-Ab 阴性 (2026-02-10), EBV-DNA 未检出 (2026-02-10), CMV-DNA 未检出 "
     "(2026-02-10);要求: 任一标志物阳性,或核酸高于检测下限;缺少: HBV-DNA (缺失)。",
     "a positive marker, or DNA above the limit of detection | 任一标志物阳性,或核酸高于检测下限",
     "viral_serology.hbeab NEGATIVE; viral_serology.hbcab POSITIVE; viral_serology.hbv_dna_result; eligibility.assessed_date "
     "2026-02-12"),
    Said("DV-18", put("serology", cmv_dna_result=""), True, "viral_serology.cmv_dna_result",
     "E-05 at the enrolment (2026-02-12): Cannot be told: HBsAg Negative (2026-02-10), HBeAg Negative (2026-02-10), HBeAb Negative "
     "(2026-02-10), HBcAb Negative (2026-02-10), HBV DNA Not detected (2026-02-10), HCV antibody Negative (2026-02-10), Treponema "
     "antibody Negative (2026-02-10), EBV DNA Not detected (2026-02-10); Asked: a positive marker, or DNA above the limit of "
     "detection; Not known: CMV DNA (missing).",
     "入组(2026-02-12)时 E-05:不能判定: HBsAg 阴性 (2026-02-10), HBeAg 阴性 (2026-02-10), HBeAb 阴性 (2026-02-10), HBcAb 阴性 "
     "(2026-02-10), HBV-DNA 未检出 (2026-02-10), HCV-Ab 阴性 (2026-02-10), TP-Ab 阴性 (2026-02-10), EBV-DNA 未检出 "
     "(2026-02-10);要求: 任一标志物阳性,或核酸高于检测下限;缺少: CMV-DNA (缺失)。",
     "a positive marker, or DNA above the limit of detection | 任一标志物阳性,或核酸高于检测下限",
     "viral_serology.cmv_dna_result; eligibility.assessed_date 2026-02-12"),
    Said("DV-24", put("consent", consent_dt=at("2026-01-14")), False, "eligibility.assessed_date",
     "Enrolled on 2026-02-12, 29 days after the consent of 2026-01-14; at most 28.",
     "于 2026-02-12 入组,距签署知情同意(2026-01-14)29 天;最多 28 天。",
     "≤ 28 d",
     "eligibility.assessed_date 2026-02-12; informed_consent.consent_dt 2026-01-14T10:00:00+08:00"),
    Said("DV-24", put("haematology", lb_dt=at("2026-02-04")), False, "haematology.lb_dt",
     "Haematology of 2026-02-04 (White blood cells): 8 d old at enrolment (2026-02-12); ≤ 7 d.",
     "血常规(2026-02-04;白细胞计数):入组(2026-02-12)时已 8 天;要求 ≤ 7 d。",
     "≤ 7 d",
     "haematology.lb_dt 2026-02-04; haematology.wbc_value 4; eligibility.assessed_date 2026-02-12"),
    Said("DV-24", put("ecog", ecog_date=None, visit=""), True, "ecog.ecog_date",
     "ECOG performance status without a date (ECOG performance status): how old it was at enrolment (2026-02-12) cannot be told; ≤ 7 "
     "d.",
     "ECOG体能状态无日期(ECOG体能状态评分):无法判定入组(2026-02-12)时已有多久;要求 ≤ 7 d。",
     "≤ 7 d",
     "ecog.ecog_date; ecog.ecog 1; eligibility.assessed_date 2026-02-12"),
    Said("DV-24", without("haematology"), True, "haematology.lb_dt",
     "Haematology: none is recorded as complete up to enrolment (2026-02-12), so its age cannot be told; ≤ 7 d.",
     "血常规:至入组(2026-02-12)无已完成的记录,无法判定其时效;要求 ≤ 7 d。",
     "≤ 7 d",
     "haematology.lb_dt; eligibility.assessed_date 2026-02-12"),
    Said("DV-16", put("therapy", target_antigens=["CD3"]), False, "prior_therapy.target_antigens",
     "E-03 at the enrolment (2026-02-12): Exclusion present: Antigens of prior therapy CD3, Prior therapy complete Yes; Asked: any "
     "prior therapy against CD19 or CD3.",
     "入组(2026-02-12)时 E-03:存在排除情况: 既往治疗靶抗原 CD3, 既往治疗记录完整 是;要求: 曾接受针对CD19或CD3的治疗。",
     "any prior therapy against CD19 or CD3 | 曾接受针对CD19或CD3的治疗",
     "prior_therapy.target_antigens CD3; eligibility.assessed_date 2026-02-12"),
    Said("DV-16", put("therapy", category="CAR_T"), True, "prior_therapy.target_antigens",
     "E-03 at the enrolment (2026-02-12): Cannot be told: Antigens of prior therapy —, Prior therapy complete No; Asked: any prior "
     "therapy against CD19 or CD3.",
     "入组(2026-02-12)时 E-03:不能判定: 既往治疗靶抗原 —, 既往治疗记录完整 否;要求: 曾接受针对CD19或CD3的治疗。",
     "any prior therapy against CD19 or CD3 | 曾接受针对CD19或CD3的治疗",
     "prior_therapy.target_antigens; prior_therapy.category CAR_T; eligibility.assessed_date 2026-02-12"),
    Said("DV-16", without("therapy"), True, "prior_therapy.target_antigens",
     "E-03 at the enrolment (2026-02-12): Cannot be told: Antigens of prior therapy —, Prior therapy complete No; Asked: any prior "
     "therapy against CD19 or CD3.",
     "入组(2026-02-12)时 E-03:不能判定: 既往治疗靶抗原 —, 既往治疗记录完整 否;要求: 曾接受针对CD19或CD3的治疗。",
     "any prior therapy against CD19 or CD3 | 曾接受针对CD19或CD3的治疗",
     "prior_therapy.target_antigens; eligibility.assessed_date 2026-02-12"),
    Said("DV-17", also(eligibility.steroid("2026-01-01", "2026-01-26")), False, "con_meds.end_dt",
     "E-04 at the enrolment (2026-02-12): Exclusion present: Immunosuppressant or steroid before consent Yes, Its last day "
     "2026-01-26, Consent 2026-02-09, Immunosuppressants or steroids planned No (2026-02-10); Asked: within 14 days before consent, "
     "or planned.",
     "入组(2026-02-12)时 E-04:存在排除情况: 同意前用免疫抑制剂或激素 是, 末次用药日期 2026-01-26, 签署知情同意日期 2026-02-09, "
     "计划使用免疫抑制剂或激素 否 (2026-02-10);要求: 签署知情同意前14天内使用,或计划使用。",
     "within 14 days before consent, or planned | 签署知情同意前14天内使用,或计划使用",
     "con_meds.end_dt 2026-01-26; con_meds.drug_class CORTICOSTEROID; informed_consent.consent_dt 2026-02-09T10:00:00+08:00; "
     "eligibility.assessed_date 2026-02-12"),
    Said("DV-19", also(eligibility.heart("ANGIOPLASTY_STENT", "2025")), True, "medical_history.start_date",
     "E-10 at the enrolment (2026-02-12): Cannot be told: Angioplasty or stent on 2025-01-01 – 2025-12-31, Consent 2026-02-09, "
     "Myocardial infarction No, Unstable angina No, Other significant heart disease No; Asked: angioplasty or stent within 12 months "
     "before consent; others ever.",
     "入组(2026-02-12)时 E-10:不能判定: 血管成形或支架日期 2025-01-01 – 2025-12-31, 签署知情同意日期 2026-02-09, 心肌梗死 否, "
     "不稳定型心绞痛 否, 其他有临床意义的心脏病 否;要求: 签署知情同意前12个月内血管成形或支架;其他不限时间。",
     "angioplasty or stent within 12 months before consent; others ever | 签署知情同意前12个月内血管成形或支架;其他不限时间",
     "medical_history.start_date 2025; medical_history.subtype ANGIOPLASTY_STENT; informed_consent.consent_dt "
     "2026-02-09T10:00:00+08:00; eligibility.assessed_date 2026-02-12"),
    Said("DV-23", eligibility.transplant("UNKNOWN"), True, "prior_transplant.gvhd_active_at_consent",
     "E-16 at the enrolment (2026-02-12): Cannot be told: Prior allogeneic transplant Yes; Asked: active before consent; Not known: "
     "GVHD active at consent.",
     "入组(2026-02-12)时 E-16:不能判定: 既往异基因移植 是;要求: 签署知情同意前活动;缺少: 签署知情同意时GVHD活动。",
     "active before consent | 签署知情同意前活动",
     "prior_transplant.gvhd_active_at_consent UNKNOWN; disease_history.prior_allo_sct YES; eligibility.assessed_date 2026-02-12"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.rule} {place}" for place, row in enumerate(ROWS)])
def test_what_is_said_and_shown(row: Said) -> None:
    check(row)
