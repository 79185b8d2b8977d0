"""Consent, and who the subject is."""

from collections.abc import Iterator

from subjects.codelists import (
    CONSENT_TYPE,
    ETHNIC_GROUP,
    NONCHILDBEARING_REASON,
    RACE,
    SEX,
    WITHDRAWAL_SCOPE,
)
from subjects.crf import CRF
from trial.codes import YES_NO
from trial.dates import local_day
from trial.findings import Doubt, Problem
from trial.item import Basis, code, codes_many, day, link, moment, partial_day, text, yes_no
from trial.text import T

EARLIEST_BIRTH_YEAR = "1900"


class InformedConsent(CRF):
    """A consent, a renewed consent, or its withdrawal. Registry I-05: the subject signs in person."""

    form = "informed_consent"
    domain = "DS"
    repeats = "log"
    dated_by = "consent_dt"

    consent_type = code(
        CONSENT_TYPE,
        en="Type of consent",
        zh="知情同意类型",
        cdash="DSDECOD",
        required=True,
        sdtm="DSTERM, DSDECOD",
    )
    icf_version = text(
        20,
        en="Consent form version",
        zh="知情同意书版本号",
        note=T(
            "A version that the ethics committee approved for this site.",
            "须为本中心伦理委员会已批准的版本。",
        ),
        required=True,
        sdtm="SUPPDS.ICFVERS",
    )
    icf_version_date = day(
        en="Date of the consent form version", zh="知情同意书版本日期", required=True, sdtm="SUPPDS.ICFVERDT"
    )
    consent_dt = moment(
        en="Signed on",
        zh="签署日期和时间",
        cdash="DSSTDAT+DSSTTIM",
        sdtm="DSSTDTC, DM.RFICDTC",
        note=T("For a withdrawal: the moment it was declared.", "如为撤回同意，填写受试者表明撤回的时间。"),
        required=True,
    )
    signed_by_subject = yes_no(
        en="Signed by the subject in person",
        zh="由受试者本人签署",
        basis=Basis.REGISTRY,
        required=True,
    )
    impartial_witness = yes_no(en="Impartial witness present", zh="有公正见证人在场")
    copy_given = yes_no(en="Copy given to the subject", zh="已向受试者提供副本", required=True)
    obtained_by = link(
        "trial.Person",
        en="Consent obtained by",
        zh="获取知情同意的研究者",
        note=T("Somebody delegated to do so on that day.", "须为当日已获授权的人员。"),
        required=True,
    )
    scan = link(
        "subjects.Attachment",
        en="Scan of the signed form",
        zh="签署页扫描件",
        note=T(
            "PDF or JPEG, at most 10 MB. It is kept as it is, with its hash.",
            "PDF 或 JPEG,最大 10 MB。原样保存并记录哈希值。",
        ),
    )
    withdrawal_scope = codes_many(
        WITHDRAWAL_SCOPE,
        en="What is withdrawn",
        zh="撤回范围",
        when={"consent_type": ("WITHDRAWAL",)},
        required=True,
    )

    class Meta(CRF.Meta):
        verbose_name = T("Informed consent", "知情同意")

    def doubts(self) -> Iterator[Doubt]:
        """A form cannot well be signed before its version existed."""
        if self.consent_dt is None or self.icf_version_date is None:
            return
        signed = local_day(self.consent_dt, self.site.time_zone)
        if signed < self.icf_version_date:
            yield Doubt(
                "icf_version_date",
                "informed_consent.version_after_signature",
                T(
                    f"The version is dated {self.icf_version_date}, after the signature of {signed}. "
                    "Was another version signed, or is one of the two dates mistyped?",
                    f"版本日期{self.icf_version_date}晚于签署日期{signed}。"
                    "请核对所签署的版本，或两个日期之一是否有误。",
                ),
                value=str(self.icf_version_date),
                limit=f"≤ {signed}",
            )


class Demographics(CRF):
    """Who the subject is. Age is worked out from the consent and stands elsewhere (registry I-06)."""

    form = "demographics"
    domain = "DM"
    repeats = "one"
    dated_by = ""

    birth_date = partial_day(
        en="Date of birth",
        zh="出生日期",
        cdash="BRTHDAT",
        note=T("Month and day may be withheld.", "可不提供月和日。"),
        required=True,
    )
    sex = code(SEX, en="Sex", zh="性别", cdash="SEX", required=True)
    ethnic_group = code(ETHNIC_GROUP, en="Ethnic group", zh="民族", cdash="ETHNIC")
    race = code(RACE, en="Race", zh="种族", cdash="RACE")
    childbearing_potential = code(
        YES_NO,
        en="Woman of childbearing potential",
        zh="有生育能力的女性",
        note=T(
            "After menarche, less than 12 months without menses at menopause, not surgically sterile.",
            "已初潮、绝经未满12个月且未行绝育手术。",
        ),
        when={"sex": ("F",)},
        required=True,
    )
    nonchildbearing_reason = code(
        NONCHILDBEARING_REASON,
        en="Reason for no childbearing potential",
        zh="无生育能力的原因",
        when={"sex": ("F",), "childbearing_potential": ("NO",)},
        required=True,
    )
    male_fertile = code(YES_NO, en="Fertile man", zh="男性有生育能力", when={"sex": ("M",)}, required=True)

    class Meta(CRF.Meta):
        verbose_name = T("Demographics", "人口学资料")

    def contradictions(self) -> Iterator[Problem]:
        """Nobody in a study of our days was born before 1900."""
        year = self.birth_date[:4]
        if year and year < EARLIEST_BIRTH_YEAR:
            yield Problem(
                "birth_date",
                "range",
                T(
                    f"Born {self.birth_date}: expected {EARLIEST_BIRTH_YEAR} or later.",
                    f"出生日期{self.birth_date}有误：应不早于{EARLIEST_BIRTH_YEAR}年。",
                ),
                value=self.birth_date,
                limit=f"≥ {EARLIEST_BIRTH_YEAR}",
                fix=T("Check the year against the identity card.", "请对照身份证件核对年份。"),
            )
