"""What to know when reading a number of the protocol, in Chinese beside the English that stands with the value.

Keyed by the English sentence(s) of the note without the remarks in `TAILS`, which many notes end with.
"""

from trial.text import T

TAILS: dict[str, str] = {
    "Known from memory; to be verified against the source.": "凭记忆填写,待与原文核对。",
    "Not in the registry record: our reading.": "注册信息未载明,为本系统的解读。",
    "Used by dose escalation alone, which is not built yet.": "仅用于剂量递增,该功能尚未建立。",
}
NOTES: dict[str, str] = {
    "Stated in the record; no rule depends on it.": "注册信息载明;无规则依赖该值。",
    "Calendar months, to the day of infusion; exactly three suffice.": "按日历月计至回输日;恰满三个月即可。",
    (
        "Read literally the interval belongs to limb (2) alone; here it binds whoever had an allogeneic SCT."
    ): "按字面该间隔仅属途径(2);此处适用于所有接受过异基因移植者。",
    "True would ask limb (4) of every Ph+ subject.": "取“是”时,所有 Ph 阳性受试者均须满足途径(4)。",
    "A positive result on fewer blasts is asked about, never refused.": "阳性比例更低时仅作询问,不予拒绝。",
    "By morphology only.": "仅按形态学。",
    "Times the upper limit of normal kept with the result.": "以与结果一并保存的正常值上限的倍数计。",
    "Strictly above, on room air.": "未吸氧状态下严格高于该值。",
    "Completed years; that consent is the day of reckoning is our reading.": "按周岁;以知情同意日为计算日为本系统的解读。",
    "Up to the day before the 66th birthday.": "至 66 周岁生日前一天。",
    "After infusion; the registry says: throughout the study.": "回输后;注册信息为:整个研究期间。",
    "Strictly more; the investigator answers.": "严格大于;由研究者判断。",
    "Two weeks; day 14 itself counts.": "两周;第 14 天当日计入。",
    (
        "The registry says immunosuppressants or hormones; hormones are read as glucocorticoids."
    ): "注册信息为“免疫抑制剂或激素”;激素解读为糖皮质激素。",
    "None in the registry: topical, inhaled and replacement count as well.": "注册信息无例外:外用、吸入及替代治疗同样计入。",
    "The limit named is that of detection.": "所指限值为检测下限。",
    "Asked about when no infection is reported.": "未报告感染时作询问。",
    "Leukaemia in the CNS is not named; it is asked about instead.": "原文未提及中枢神经系统白血病;仅作询问。",
    "Angioplasty or stent only; the rest has no time limit.": "仅限血管成形术或支架;其余无时间限制。",
    "The registry says any drug to be used in this study.": "注册信息为“本研究拟使用的任何药物”。",
    "Six weeks before screening; day 42 itself counts.": "筛选前六周;第 42 天当日计入。",
    "How old a negative test may be at the start of lymphodepletion.": "清淋开始时阴性检测结果的有效天数。",
    "That the last day counts is our reading.": "末日计入为本系统的解读。",
    (
        "From the registry: I-01(2) at infusion, I-05, E-04 and E-13 at their own anchors. "
        "Marrow before lymphodepletion is optional: asked about, never ineligible."
    ): "注册信息载明:I-01(2)以回输日计,I-05、E-04、E-13 以各自时点计。清淋前骨髓检查非必需:仅作询问,不判为不合格。",
    "The limits are registry.": "限值来自注册信息。",
    "Expansion cannot be known before apheresis.": "单采前无法得知扩增情况。",
    "From consent to enrolment.": "自知情同意至入组。",
    "How old an assessment may be, by form.": "各表单评估的有效天数。",
    "At PRE_INFUSION.": "于回输前(PRE_INFUSION)。",
    "A further one is asked about, never refused.": "超出者仅作询问,不予拒绝。",
    "Per day. Only the drug names are public.": "每日剂量。公开信息仅有药物名称。",
    "The registry says several days prior to infusion.": "注册信息为“回输前数日”。",
    "From the last dose to Day 0.": "自末次给药至第 0 天。",
    "Beyond this, lymphodepletion is repeated.": "超过此期限须重复清淋。",
    (
        "Creatinine clearance in mL/min and factor from there on; below all, not given. Labels disagree."
    ): "肌酐清除率(mL/min)及其起的剂量系数;低于全部界值则不给药。各说明书不一致。",
    "Above the renally adjusted dose.": "高于按肾功能调整后的剂量。",
    "Needs a signature.": "须签名。",
    "Customary in published release tables (PMC6319086).": "已发表放行标准的惯用值(PMC6319086)。",
    "Of viable CD3+ cells.": "占活 CD3+ 细胞的比例。",
    "Copies per cell; customary with the FDA.": "每细胞拷贝数;FDA 惯用值。",
    "EU per kg and hour.": "EU/kg/小时。",
    "Per 3e6 cells; from here on asked about, no release specification of DV-36.": "每 3e6 个细胞;达到即作询问,非 DV-36 的放行标准。",
    "While one stands, the batch cannot be judged to the end.": "存在任一此类结果时,该批次无法最终判定。",
    "A rejected batch that was not infused breaks nothing.": "被拒且未回输的批次不构成偏离。",
    "Mandatory as well for a cryopreserved product.": "冻存产品同样必需。",
    "Where performing and verifying person must differ.": "操作人与核对人须为不同人员的步骤。",
    "For a cryopreserved product.": "适用于冻存产品。",
    "From the end of thawing to the start of the infusion.": "自复苏结束至回输开始。",
    "Also in PMC11461191.": "另见 PMC11461191。",
    (
        "So long a further part of a split infusion may come; NCT03064269 "
        "gave three on consecutive days, this study gives one."
    ): "分次回输的后续部分可在此期限内进行;NCT03064269 连续三天给药,本研究为一次。",
    "Weight on Day 0 against the weight dosed by.": "第 0 天体重与计算剂量所用体重之比较。",
    "Doses; the practice of US risk programmes. Fewer are asked about.": "剂数;参照美国风险管理项目的做法。不足时作询问。",
    "First to second subject of a level; cf. NCT07488546.": "同一剂量水平首例至第二例;参见 NCT07488546。",
    "The algorithm is not public.": "算法未公开。",
    "The first level; who starts here needs no decision.": "首个剂量水平;自此开始者无需决议。",
    "Whose signatures make a review of the committee binding.": "委员会审评生效所需的签名角色。",
    (
        "From the level reviewed to the highest one that may be allocated; any other word allows none."
    ): "自所审评水平至可分配的最高水平;其他结论均不允许分配。",
    "Evaluable subjects treated at one level.": "同一剂量水平可评价的受试者数。",
    "Day 0 to this day, both included; cf. ZUMA-3.": "第 0 天至该日,首尾均计入;参见 ZUMA-3。",
    "After the window.": "观察窗结束后。",
    "Whose signature is due in time.": "须按时签名的角色。",
    "Of the planned dose, to be evaluable.": "可评价所需的计划剂量比例。",
    "CRS and ICANS of grade 3; longer is a DLT.": "3 级 CRS 和 ICANS;持续更久为 DLT。",
    "Laboratory-only events included.": "包括仅实验室异常的事件。",
    "Grade 4 still present after it, marrow free of leukaemia.": "该日之后仍为 4 级,且骨髓无白血病。",
    "From the start of lymphodepletion to this day.": "自清淋开始至该日。",
    "AE: an infusion reaction.": "AE:输注反应。",
    "Between consent and infusion.": "知情同意至回输之间。",
    "After infusion.": "回输后。",
    "And any other anti-CD19 agent.": "以及任何其他抗 CD19 药物。",
    "Looked for in the name of the drug.": "在药物名称中查找。",
    "What may be given once a relapse or progression is recorded.": "记录复发或进展后可使用的药物。",
    "After infusion, without relapse.": "回输后且无复发。",
    "Here a window missed is MAJOR.": "此类访视超窗判为“重大”。",
    (
        "The days and months of sampling stand in the schedule; that PK is characterised is registry."
    ): "采样日与月见访视计划;“表征 PK”来自注册信息。",
    "A day whose visit did not take place for one of these is no day of hospital stay.": "因这些原因未进行访视的日子不计为住院日。",
    "These do not say whether the subject was in hospital, so the day cannot be told.": "这些原因未说明受试者是否住院,故该日无法判定。",
    "For these a corticosteroid is a rescue.": "因这些适应证使用皮质类固醇视为挽救治疗。",
    "As in the product label.": "依药品说明书。",
    "As in good clinical practice.": "依药物临床试验质量管理规范。",
    "Fatal or life-threatening.": "致死或危及生命。",
    (
        "The stricter reading, as the rule states it. The NMPA standard of 2018 "
        "on expedited reporting is said to count the day of awareness as day 0."
    ): "按规则表述取较严的解读。据称国家药监局 2018 年快速报告标准以获知日为第 0 天。",
    "The sponsor's authority; see trial/jurisdiction.py.": "申办者所在监管机构;见 trial/jurisdiction.py。",
    "After any infusion; related to ssCART-19 or lymphodepletion.": "任一回输后;与 ssCART-19 或清淋相关。",
    "Of CRS or ICANS, by the investigator.": "CRS 或 ICANS 分级,由研究者判定。",
    "At one level; CRS and ICANS of one subject count as two, the stricter reading.": "同一剂量水平;一人的 CRS 与 ICANS 计为两例(较严)。",
    "Of the time from awareness to the end of it.": "自获知至期限届满的时间比例。",
    "A reminder every so many days while it is overdue.": "逾期期间每隔该天数提醒一次。",
    "Who is reminded when; each step reaches further.": "何时提醒何人;逐级扩大范围。",
    "Long-term follow-up begins after the visit of month 24.": "长期随访自第 24 个月访视后开始。",
    "From 5 % on: no remission, and relapse after one. Sources differ.": "达到 5 %:未缓解,缓解后则为复发。各来源不一。",
    "In 10^9/L.": "单位 10^9/L。",
    "ELN prints more than, CIBMTR at least; True would let the limit itself suffice.": "ELN 为“大于”,CIBMTR 为“至少”;取“是”则含界值。",
    "Of marrow blasts, relative to baseline.": "骨髓原始细胞相对基线的升幅。",
    "Kept beside the response; the registry asks for no confirmation.": "与疗效一并保存;注册信息不要求确认。",
    "As a fraction; below it is negative.": "以比例计;低于该值为阴性。",
    "The window of the M3 visit.": "第 3 个月访视的时间窗。",
    "True would count no remission at M3.": "取“是”时,第 3 个月未缓解计为事件。",
    "True would censor at a transplant in remission.": "取“是”时,缓解中移植作删失。",
    "Of lymphocytes.": "占淋巴细胞的比例。",
    "When the result does not state its own limit.": "结果未载明自身限值时使用。",
    "How early the last sample may be for a truncated area.": "计算截断面积时末次采样可提前的天数。",
    "Quantifiable results after the maximum.": "峰值后的可定量结果数。",
    "Adjusted, of the log-linear fit.": "对数线性拟合的校正值。",
    "Results in a row below the limit, after which none is due.": "连续低于限值的结果数,此后不再要求采样。",
    "From the marrow to the blood counts, either way.": "骨髓与血象之间的间隔,前后均可。",
    "A platelet transfusion or G-CSF so long before makes a count not count.": "此期限内输注血小板或使用 G-CSF 者,该血象不计。",
    "Before an assessment; once treated, the fever of an episode stays treated to its end.": "评估前;一经用药,该次发热视为已处理直至结束。",
    "Longer without a grade of 1 or more ends an episode.": "更长时间无 1 级及以上即为发作结束。",
    "Time at this grade or above is summed.": "累计处于该级及以上的时间。",
    "From here on an adverse event is asked about.": "达到该级即询问不良事件。",
    "Grades above baseline, from here on asked about.": "较基线升高的级数,达到即作询问。",
    "How far the dose entered may lie from the computed one before it is asked about.": "填写剂量与计算剂量的差异超过该值即作询问。",
    "Haematology and chemistry every other day.": "血液学与生化隔日一次。",
    "From this grade of CRS on, every 8 to 12 hours.": "CRS 达到该级后每 8–12 小时一次。",
    "Longest time between two samples meanwhile.": "期间两次采样的最长间隔。",
    "Amendment 1, for demonstration: invented, no sponsor wrote it.": "修订案 1,仅作演示:虚构,非申办者撰写。",
}


def note_of(note: str) -> str:
    """A note of a sourced value in the active language; "" for none; English where it has no Chinese."""
    said, tails = note, ""
    for tail, zh in TAILS.items():
        if said.endswith(tail):
            said, tails = said.removesuffix(tail).rstrip(), zh + tails
    return T(note, NOTES.get(said, said) + tails)
