"""The study: twenty-five subjects in the order of their consent, eighteen of them infused over three dose levels.

A shape says what happens to its subject and what that breaks; docs/demo.md is printed from here, and the tests compare
both with what the rules find. Larger studies are made of the same shapes (see `replicate`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from entry.demo import courses, recent, treated, untreated
from entry.demo.courses import Course
from entry.demo.story import Body, Story


@dataclass(frozen=True)
class Shape:
    """A story with its subject.

    ago      days since Day 0 on the day of telling; of the planned Day 0 where there is none (negative: to come)
    happens  the story in a few words
    breaks   what it breaks: rule, with the status unless that is open, and how ("DV-01 cleared": "…")
    """

    tell: Callable[[Story], None]
    body: Body
    ago: int
    happens: str
    level: str = ""
    course: Course = courses.MILD
    breaks: Mapping[str, str] = field(default_factory=dict)


_UNSIGNED = {"DV-07": "checklists not signed, as the data contradict them"}
_NOT_ELIGIBLE = {"DV-02": "a criterion failed at enrolment", **_UNSIGNED}

SHAPES: tuple[Shape, ...] = (
    Shape(
        treated.long_remission,
        Body("M", 34, "172.0", "66.5"),
        1500,
        "remission into the fifth year",
        "DL1",
    ),
    Shape(untreated.hepatitis, Body("F", 55, "159.0", "56.3"), 1487, "screen failure: HBV DNA"),
    Shape(
        treated.transplant_corrected,
        Body("F", 41, "161.0", "55.2"),
        1480,
        "relapse without CD19 at month 3, death in month 6",
        "DL1",
        courses.QUIET,
        {
            "DV-01 cleared": "transplant typed two months before the infusion, corrected to seven",
            "DV-02 cleared": "and with it the criterion",
            "DV-07 cleared": "and the checklists could be signed",
        },
    ),
    Shape(
        treated.should_not_have_been_enrolled,
        Body("M", 66, "168.0", "62.0"),
        1475,
        "remission; no contact after month 24",
        "DL1",
        breaks={
            **_NOT_ELIGIBLE,
            "DV-05": "new consent form not signed, as nobody reached the subject",
            "DV-06": "CD19 cannot be told",
            "DV-08": "66 years old",
            "DV-09": "ECOG 2",
            "DV-10": "3 % marrow blasts",
            "DV-11": "CD19 by immunohistochemistry",
            "DV-16": "blinatumomab",
            "DV-22": "in a trial until two months before consent",
            "DV-46": "infused five days after the subject before",
            "DV-52": "year 3",
            "DV-63": "last contact at month 24",
        },
    ),
    Shape(
        treated.too_soon_after_transplant,
        Body("M", 45, "175.0", "71.3"),
        1400,
        "remission after a transplant, GVHD under a steroid",
        "DL1",
        courses.MODERATE,
        {
            **_NOT_ELIGIBLE,
            "DV-01": "infused two months after the transplant",
            "DV-17": "steroid in the fortnight before consent",
            "DV-23": "active GVHD",
            "DV-26": "and until day 3",
            "DV-28": "and until the infusion",
            "DV-53": "lumbar puncture refused at day 28",
        },
    ),
    Shape(
        treated.remission_after_transplant,
        Body("F", 28, "165.0", "58.4"),
        1370,
        "remission after a transplant eight months before",
        "DL1",
        courses.MODERATE,
    ),
    Shape(
        treated.withdrawn,
        Body("F", 49, "163.0", "60.1"),
        1262,
        "withdraws after day 28",
        "DL1",
        courses.MODERATE,
    ),
    Shape(untreated.weak_heart, Body("M", 60, "171.0", "65.5"), 1255, "screen failure: ejection fraction"),
    Shape(
        treated.organs_failing,
        Body("M", 57, "173.0", "70.4"),
        1240,
        "remission; organs beyond the limits at enrolment",
        "DL2",
        courses.QUIET,
        {
            **_NOT_ELIGIBLE,
            "DV-12": "ejection fraction under 50 %",
            "DV-13": "creatinine 1.7 mg/dL",
            "DV-14": "transaminases over three times the limit",
            "DV-15": "saturation 90 %",
            "DV-19": "stent eight months before",
            "DV-32": "fludarabine not reduced for the kidneys",
            "DV-47": "infused while the level below was watched",
            "DV-48": "first at the level, before the committee met",
            "DV-50": "level allocated before the committee met",
        },
    ),
    Shape(
        treated.late_and_missed,
        Body("M", 52, "170.0", "69.0"),
        1205,
        "severe CRS and ICANS, remission; pneumonia goes on",
        "DL2",
        courses.SEVERE,
        {
            "DV-51": "day 28 six days late",
            "DV-52": "month 2 refused",
            "DV-54": "with their kinetic samples",
            "DV-59": "two reports after two days, one not yet made",
        },
    ),
    Shape(
        treated.died,
        Body("M", 58, "169.0", "64.7"),
        1170,
        "CRS grade 4, dies of IEC-HS on day 19: dose-limiting",
        "DL2",
        courses.FATAL,
        {"DV-60": "not submitted to the authorities"},
    ),
    Shape(
        untreated.not_manufactured,
        Body("F", 47, "166.0", "61.0"),
        1095,
        "the batch fails and is rejected",
        breaks={"DV-64 pending": "end of study not signed"},
    ),
    Shape(
        treated.product_out_of_order,
        Body("F", 37, "158.0", "51.8"),
        1060,
        "remission after a batch that should not have been given",
        "DL2",
        courses.MILD,
        {
            "DV-06": "hepatitis B cannot be told",
            **_UNSIGNED,
            "DV-18": "antibodies against hepatitis B without a test for DNA",
            "DV-35": "batch released on condition",
            "DV-36": "66 % viable",
            "DV-37": "expired the day before",
            "DV-38": "receipt at the site not recorded",
            "DV-39": "one person entered as both",
            "DV-40": "warmer than −130 °C in store",
            "DV-41": "64 % viable after thawing",
            "DV-42": "48 min to the infusion, which took 75",
            "DV-43": "about a third over the planned dose",
        },
    ),
    Shape(
        treated.infusion_out_of_order,
        Body("F", 32, "164.0", "57.5"),
        1000,
        "remission; things left out around the infusion",
        "DL2",
        courses.MILD,
        {
            **_NOT_ELIGIBLE,
            "DV-20": "live vaccine four weeks before screening",
            "DV-21": "no pregnancy test before lymphodepletion",
            "DV-27": "dexamethasone as premedication",
            "DV-45": "no vital signs two hours after",
        },
    ),
    Shape(
        treated.lymphodepletion_out_of_order,
        Body("M", 23, "178.0", "73.5"),
        930,
        "infused a fortnight later than planned",
        "DL2",
        courses.QUIET,
        {
            "DV-25": "no cyclophosphamide",
            "DV-30": "one fludarabine dose 15 % too high",
            "DV-31": "not two to seven days before the infusion",
            "DV-33": "38.3 °C on the first morning",
            "DV-34": "17 days from the last dose",
        },
    ),
    Shape(untreated.thought_better, Body("M", 29, "176.0", "72.1"), 565, "withdraws before apheresis"),
    Shape(
        recent.remission,
        Body("F", 36, "162.0", "54.9"),
        420,
        "remission past month 12",
        "DL3",
        courses.MODERATE,
    ),
    Shape(untreated.progressed, Body("M", 50, "174.0", "69.3"), 365, "dies while the cells are made"),
    Shape(
        recent.medicines_out_of_order,
        Body("M", 39, "171.0", "68.8"),
        330,
        "remission; medicines that were not allowed",
        "DL3",
        courses.MILD,
        {
            "DV-29": "live vaccine on day 100",
            "DV-57": "tocilizumab before CRS was graded",
            "DV-58": "two doses six hours apart",
            "DV-61": "mycophenolate",
            "DV-62": "blinatumomab in remission on day 70",
        },
    ),
    Shape(
        recent.samples_missing,
        Body("F", 46, "160.0", "53.6"),
        215,
        "remission; samples and assessments missing",
        "DL3",
        courses.MILD,
        {
            "DV-49": "toxicity in the window not assessed",
            "DV-53": "no marrow at day 28",
            "DV-54": "sample of day 10 lost",
            "DV-55": "0.06 µg DNA on day 14",
            "DV-56": "day 9 not graded",
        },
    ),
    Shape(
        recent.relapsed_early,
        Body("M", 27, "180.0", "75.0"),
        118,
        "relapse without CD19 at month 3",
        "DL3",
        courses.MILD,
    ),
    Shape(
        recent.on_the_ward,
        Body("F", 44, "160.0", "54.0"),
        14,
        "day 14 is today",
        "DL3",
        courses.MODERATE,
        {
            **_NOT_ELIGIBLE,
            "DV-03": "echocardiography the day before consent",
            "DV-04": "consent on version 0.9",
            "DV-24": "blood count nine days old",
            "DV-43": "half of the planned dose, as one of two bags leaked",
            "DV-44": "which is the dose of the second level",
        },
    ),
    Shape(
        recent.transplant_month_unknown,
        Body("M", 31, "174.0", "68.2"),
        6,
        "in the first week after the infusion",
        "DL3",
        courses.MILD,
        {
            "DV-01 pending": "of a transplant only the month is known",
            "DV-06": "so the interval cannot be told",
            **_UNSIGNED,
        },
    ),
    Shape(untreated.being_manufactured, Body("F", 26, "167.0", "57.6"), -18, "cells are being made"),
    Shape(
        untreated.in_screening,
        Body("M", 33, "175.0", "66.9"),
        -29,
        "in screening: partial dates, drafts, a late entry",
    ),
)
