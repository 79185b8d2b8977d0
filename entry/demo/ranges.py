"""Reference ranges of the demonstration laboratory. Invented, in the order of what Chinese hospitals print."""

from datetime import date

from trial import audit
from trial.access import Actor
from trial.models import Site
from visits.models import Laboratory, ReferenceRange

LABORATORY = "Demonstration laboratory 演示检验科 (synthetic/合成)"
VALID_FROM = date(2021, 1, 1)

# analyte, sex ("" for either), unit, low, high
RANGES: tuple[tuple[str, str, str, str | None, str | None], ...] = (
    ("wbc", "", "10^9/L", "3.5", "9.5"),
    ("anc", "", "10^9/L", "1.8", "6.3"),
    ("alc", "", "10^9/L", "1.1", "3.2"),
    ("hgb", "M", "g/L", "130", "175"),
    ("hgb", "F", "g/L", "115", "150"),
    ("plt", "", "10^9/L", "125", "350"),
    ("monocytes", "", "10^9/L", "0.1", "0.6"),
    ("creatinine", "M", "umol/L", "57", "97"),
    ("creatinine", "F", "umol/L", "41", "73"),
    ("alt", "M", "U/L", "9", "50"),
    ("alt", "F", "U/L", "7", "40"),
    ("ast", "M", "U/L", "15", "40"),
    ("ast", "F", "U/L", "13", "35"),
    ("tbil", "", "umol/L", None, "23"),
    ("dbil", "", "umol/L", None, "8"),
    ("alp", "", "U/L", "45", "125"),
    ("ggt", "", "U/L", "10", "60"),
    ("ldh", "", "U/L", "120", "250"),
    ("albumin", "", "g/L", "40", "55"),
    ("urea", "", "mmol/L", "3.1", "8.0"),
    ("uric_acid", "M", "umol/L", "208", "428"),
    ("uric_acid", "F", "umol/L", "155", "357"),
    ("glucose", "", "mmol/L", "3.9", "6.1"),
    ("sodium", "", "mmol/L", "137", "147"),
    ("potassium", "", "mmol/L", "3.5", "5.3"),
    ("calcium", "", "mmol/L", "2.11", "2.52"),
    ("phosphate", "", "mmol/L", "0.85", "1.51"),
    ("magnesium", "", "mmol/L", "0.75", "1.02"),
    ("crp", "", "mg/L", None, "8"),
    ("ferritin", "M", "ug/L", "30", "400"),
    ("ferritin", "F", "ug/L", "13", "150"),
    ("triglycerides", "", "mmol/L", None, "1.7"),
    ("inr", "", "1", "0.8", "1.2"),
    ("aptt", "", "s", "25", "37"),
    ("fibrinogen", "", "g/L", "2.0", "4.0"),
    ("d_dimer", "", "mg/L FEU", None, "0.5"),
    ("il6", "", "pg/mL", None, "7"),
    ("il10", "", "pg/mL", None, "9.1"),
    ("ifn_gamma", "", "pg/mL", None, "15"),
    ("tnf_alpha", "", "pg/mL", None, "8.1"),
    ("igg", "", "g/L", "8.6", "17.4"),
    ("iga", "", "g/L", "1.0", "4.2"),
    ("igm", "", "g/L", "0.5", "2.8"),
)


def install(site: Site, by: Actor) -> None:
    """Give the site its laboratory's ranges, unless it has some."""
    with audit.transaction(by, "reference ranges of the demonstration laboratory"):
        if ReferenceRange.objects.filter(site=site, laboratory=LABORATORY).exists():
            return
        lab = Laboratory.objects.filter(site=site, name=LABORATORY).first()
        if lab is None:
            lab = Laboratory(site=site, name=LABORATORY, valid_from=VALID_FROM, is_default=True)
            lab.save(force_insert=True)
        for analyte, sex, unit, low, high in RANGES:
            ReferenceRange(
                site=site,
                lab=lab,
                laboratory=LABORATORY,
                analyte=analyte,
                sex=sex,
                unit=unit,
                low=low,
                high=high,
                valid_from=VALID_FROM,
            ).save(force_insert=True)
