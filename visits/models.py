"""Visits, the forms collected at them, and the reference ranges their results are read against."""

from collections.abc import Iterator
from datetime import date

from django.db import models
from django.db.models import F, Q

from subjects.crf import CRF
from trial.fields import Number
from trial.findings import Problem
from trial.item import code, day
from trial.models import Site
from trial.record import Audited
from trial.text import T
from visits.codelists import MISSED_REASON
from visits.disease import Response, SurvivalLtfu
from visits.examinations import Ecg, Echo, Ecog, Pulmonary
from visits.kinetics import PdBcell, PdCytokine, PkSample
from visits.laboratory import Chemistry, Coagulation, Haematology, Urinalysis
from visits.marrow import BoneMarrow, Cd19Flow, Csf
from visits.toxicity import CrsAssessment, IcansAssessment
from visits.treatment import ConMeds, Transfusion
from visits.vitals import VitalSigns

__all__ = [
    "BoneMarrow",
    "Cd19Flow",
    "Chemistry",
    "Coagulation",
    "ConMeds",
    "CrsAssessment",
    "Csf",
    "Ecg",
    "Echo",
    "Ecog",
    "Haematology",
    "IcansAssessment",
    "Laboratory",
    "PdBcell",
    "PdCytokine",
    "PkSample",
    "Pulmonary",
    "ReferenceRange",
    "Response",
    "SurvivalLtfu",
    "Transfusion",
    "Urinalysis",
    "Visit",
    "VitalSigns",
]


class Visit(CRF):
    """That a visit took place, and when; or that it did not, and why. `visit` holds its code. The planned day
    and the window around it follow from the schedule and are never stored."""

    form = "visit"
    domain = "SV"
    repeats = "visit"
    dated_by = "actual_date"

    actual_date = day(en="Date of visit", zh="实际访视日期", cdash="VISDAT", required=True)
    missed_reason = code(
        MISSED_REASON, en="Reason the visit did not take place", zh="未访视原因", sdtm="SVREASOC"
    )

    class Meta(CRF.Meta):
        verbose_name = T("Visit", "访视")

    def contradictions(self) -> Iterator[Problem]:
        """A visit has a date, or a reason why it did not take place, never both."""
        if self.actual_date is not None and (self.missed_reason or self.not_done):
            yield Problem(
                "actual_date",
                "contradiction",
                T(
                    f"The visit has a date ({self.actual_date}) and is marked as not having taken place. "
                    "Remove the date or the mark.",
                    f"该访视已填写日期({self.actual_date}),又标记为未进行。请删除日期或取消标记。",
                ),
                str(self.actual_date),
            )


class Laboratory(Audited):
    """A laboratory that measures for a site, from one day to another (an empty day is open). One of a site may be
    the default: a new panel that names no laboratory gets it."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="laboratories")
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True, default="")
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    is_default = models.BooleanField(default=False)

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("laboratory", "实验室")
        verbose_name_plural = T("laboratories", "实验室")
        constraints = (
            models.UniqueConstraint(fields=["site", "name"], name="laboratory_once_per_site"),
            models.UniqueConstraint(
                fields=["site"], condition=Q(is_default=True), name="one_default_laboratory"
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_to__gte=F("valid_from")),
                name="laboratory_dates",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.name_zh}".strip()

    def open_on(self, day: date) -> bool:
        """Whether the laboratory measures for the site on `day`, both ends included."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


class ReferenceRange(Audited):
    """What a laboratory of a site calls normal, from one day to another. `analyte` is a result's name on its
    form ("alt"). An empty sex means either, an empty age or day is open. Ages are completed years.

    `lab` is the laboratory; `laboratory` keeps its name as it was when the range was entered."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="reference_ranges")
    lab = models.ForeignKey(
        Laboratory, on_delete=models.PROTECT, null=True, blank=True, related_name="ranges"
    )
    laboratory = models.CharField(max_length=120)
    analyte = models.CharField(max_length=40)
    sex = models.CharField(
        max_length=1, choices=[("M", T("Male", "男")), ("F", T("Female", "女"))], blank=True, default=""
    )
    age_low = models.PositiveSmallIntegerField(null=True, blank=True)
    age_high = models.PositiveSmallIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=12)
    low = Number(max_digits=16, decimal_places=8, null=True, blank=True)
    high = Number(max_digits=16, decimal_places=8, null=True, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("reference range", "参考值范围")
        verbose_name_plural = T("reference ranges", "参考值范围")
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="reference_range_dates",
            ),
            models.CheckConstraint(
                condition=Q(low__isnull=True) | Q(high__isnull=True) | Q(low__lte=F("high")),
                name="reference_range_limits",
            ),
        )

    def __str__(self) -> str:
        return f"{self.analyte} {self.low} – {self.high} {self.unit} ({self.laboratory})"
