"""Viral serology and nucleic acid tests."""

from collections.abc import Iterator

from subjects.codelists import DNA_RESULT, SARS_COV_2_METHOD
from subjects.crf import CRF
from trial.codes import POS_NEG
from trial.findings import Doubt
from trial.item import code, day, number
from trial.text import T

HEPATITIS = T("Hepatitis", "肝炎病毒")
OTHER_INFECTIONS = T("Other infections", "其他感染")
TESTED = ("NOT_DETECTED", "DETECTED_BELOW_LLOQ", "DETECTED")
FOUND = ("DETECTED_BELOW_LLOQ", "DETECTED")
AT_SCREENING = ("SCR",)
MOST_COPIES = 1_000_000_000_000


class ViralSerology(CRF):
    """Serology and nucleic acid tests. Registry E-05 and E-07; antibodies are asked at screening only."""

    form = "viral_serology"
    domain = "LB"
    repeats = "visit"
    dated_by = "lb_date"

    lb_date = day(en="Date of sampling", zh="采样日期", cdash="LBDAT", required=True)
    hbsag = code(
        POS_NEG,
        en="HBsAg",
        zh="乙肝表面抗原（HBsAg）",
        section=HEPATITIS,
        required_at=AT_SCREENING,
        sdtm="MBORRES where MBTESTCD = HBSAG",
    )
    hbsab = code(
        POS_NEG,
        en="HBsAb",
        zh="乙肝表面抗体（HBsAb）",
        section=HEPATITIS,
        sdtm="ISORRES where ISTESTCD = MBAB, ISBDAGNT = HEPATITIS B VIRUS SURFACE ANTIGEN",
    )
    hbeag = code(
        POS_NEG,
        en="HBeAg",
        zh="乙肝e抗原（HBeAg）",
        section=HEPATITIS,
        required_at=AT_SCREENING,
        sdtm="MBORRES where MBTESTCD = HBEAG",
    )
    hbeab = code(
        POS_NEG,
        en="HBeAb",
        zh="乙肝e抗体（HBeAb）",
        section=HEPATITIS,
        required_at=AT_SCREENING,
        sdtm="ISORRES where ISTESTCD = MBAB, ISBDAGNT = HEPATITIS B VIRUS E ANTIGEN",
    )
    hbcab = code(
        POS_NEG,
        en="HBcAb",
        zh="乙肝核心抗体（HBcAb）",
        section=HEPATITIS,
        required_at=AT_SCREENING,
        sdtm="ISORRES where ISTESTCD = MBAB, ISBDAGNT = HEPATITIS B VIRUS CORE ANTIGEN",
    )
    hbv_dna_result = code(
        DNA_RESULT,
        en="HBV DNA",
        zh="HBV-DNA",
        section=HEPATITIS,
        note=T("Needed when HBeAb or HBcAb is positive.", "HBeAb或HBcAb阳性时须检测。"),
        sdtm="MBORRES where MBTESTCD = HBDNA",
    )
    hbv_dna_iu_ml = number(
        14,
        2,
        en="HBV DNA, amount",
        zh="HBV-DNA定量",
        unit="IU/mL",
        section=HEPATITIS,
        hard=(0, MOST_COPIES),
        when={"hbv_dna_result": ("DETECTED",)},
        required=True,
        sdtm="MBSTRESN, MBSTRESU where MBTESTCD = HBDNA",
    )
    hbv_dna_lod = number(
        10,
        2,
        en="HBV DNA, limit of detection",
        zh="HBV-DNA检测下限",
        unit="IU/mL",
        section=HEPATITIS,
        hard=(0, None),
        when={"hbv_dna_result": TESTED},
        required=True,
        sdtm="MBLOD where MBTESTCD = HBDNA",
    )
    hcv_ab = code(
        POS_NEG,
        en="HCV antibody",
        zh="丙肝抗体（HCV-Ab）",
        section=HEPATITIS,
        required_at=AT_SCREENING,
        sdtm="ISORRES where ISTESTCD = MBAB, ISBDAGNT = HEPATITIS C VIRUS",
    )
    tp_ab = code(
        POS_NEG,
        en="Treponema pallidum antibody",
        zh="梅毒螺旋体抗体（TP-Ab）",
        section=OTHER_INFECTIONS,
        required_at=AT_SCREENING,
        sdtm="ISORRES where ISTESTCD = MBAB, ISBDAGNT = TREPONEMA PALLIDUM",
    )
    hiv_ab = code(
        POS_NEG,
        en="HIV antibody",
        zh="HIV抗体",
        section=OTHER_INFECTIONS,
        required_at=AT_SCREENING,
        sdtm="ISORRES where ISTESTCD = MBAB, ISBDAGNT = HUMAN IMMUNODEFICIENCY VIRUS",
    )
    ebv_dna_result = code(
        DNA_RESULT,
        en="EBV DNA",
        zh="EBV-DNA",
        section=OTHER_INFECTIONS,
        required_at=AT_SCREENING,
        sdtm="MBORRES where MBTESTCD = EBDNA",
    )
    ebv_dna_copies = number(
        14,
        2,
        en="EBV DNA, amount",
        zh="EBV-DNA定量",
        unit="copies/mL",
        section=OTHER_INFECTIONS,
        hard=(0, None),
        when={"ebv_dna_result": ("DETECTED",)},
        required=True,
        sdtm="MBSTRESN, MBSTRESU where MBTESTCD = EBDNA",
    )
    cmv_dna_result = code(
        DNA_RESULT,
        en="CMV DNA",
        zh="CMV-DNA",
        section=OTHER_INFECTIONS,
        required_at=AT_SCREENING,
        sdtm="MBORRES where MBTESTCD = CMVDNA",
    )
    cmv_dna_copies = number(
        14,
        2,
        en="CMV DNA, amount",
        zh="CMV-DNA定量",
        unit="copies/mL",
        section=OTHER_INFECTIONS,
        hard=(0, None),
        when={"cmv_dna_result": ("DETECTED",)},
        required=True,
        sdtm="MBSTRESN, MBSTRESU where MBTESTCD = CMVDNA",
    )
    sars_cov_2 = code(
        POS_NEG,
        en="SARS-CoV-2",
        zh="新型冠状病毒",
        section=OTHER_INFECTIONS,
        required=True,
        sdtm="MBORRES where MBTESTCD = SARSCOV2",
    )
    sars_cov_2_method = code(
        SARS_COV_2_METHOD,
        en="SARS-CoV-2, method",
        zh="新型冠状病毒检测方法",
        section=OTHER_INFECTIONS,
        when={"sars_cov_2": ("POSITIVE", "NEGATIVE", "INDETERMINATE")},
        required=True,
        sdtm="MBMETHOD where MBTESTCD = SARSCOV2",
    )

    class Meta(CRF.Meta):
        verbose_name = T("Viral serology and PCR", "病毒血清学及核酸检测")

    def doubts(self) -> Iterator[Doubt]:
        """Hepatitis B markers that do not fit each other."""
        antibodies = (self.hbeab, self.hbcab)
        stated = self.hbv_dna_result or "hbv_dna_result" in self.missing
        if "POSITIVE" in antibodies and not stated:
            yield Doubt(
                "hbv_dna_result",
                "viral_serology.hbv_dna_needed",
                T(
                    "HBeAb or HBcAb is positive: E-05 needs HBV DNA. Enter the result, or why it is missing.",
                    "HBeAb或HBcAb阳性：判断E-05须有HBV-DNA结果。请填写结果或缺失原因。",
                ),
            )
        if self.hbv_dna_result in FOUND and antibodies == ("NEGATIVE", "NEGATIVE"):
            yield Doubt(
                "hbv_dna_result",
                "viral_serology.hbv_dna_without_antibody",
                T(
                    "HBV DNA was detected while HBeAb and HBcAb are both negative. Check the three results.",
                    "HBV-DNA检出，而HBeAb与HBcAb均为阴性。请核对三项结果。",
                ),
                value=self.hbv_dna_result,
            )
        if self.hbeag == "POSITIVE" and self.hbsag == "NEGATIVE":
            yield Doubt(
                "hbeag",
                "viral_serology.hbeag_without_hbsag",
                T(
                    "HBeAg is positive while HBsAg is negative, which is rare. Check both results.",
                    "HBeAg阳性而HBsAg阴性，较为罕见。请核对两项结果。",
                ),
                value=self.hbeag,
            )
        yield from self._doubtful_amount()

    def _doubtful_amount(self) -> Iterator[Doubt]:
        amount, limit = self.hbv_dna_iu_ml, self.hbv_dna_lod
        if self.hbv_dna_result == "DETECTED" and amount is not None and limit is not None and amount < limit:
            yield Doubt(
                "hbv_dna_iu_ml",
                "viral_serology.hbv_dna_below_limit",
                T(
                    f"{amount} IU/mL was detected below the limit of detection of {limit} IU/mL. "
                    "Check the amount, the limit and their unit.",
                    f"检出{amount} IU/mL，低于检测下限{limit} IU/mL。请核对定量值、检测下限及单位。",
                ),
                value=str(amount),
                limit=f"≥ {limit}",
            )
