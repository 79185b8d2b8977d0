"""Lymphodepletion before the infusion."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from dosing.arithmetic import body_surface, dose_mg
from dosing.codelists import LD_DRUG, NOT_GIVEN
from subjects.crf import CRF
from trial.findings import Doubt
from trial.item import code, moment, number, whole, yes_no
from trial.text import T

_ROUNDING_MG = Decimal("0.1")


def bsa(record: Any) -> Decimal | None:
    """Body surface area from this record's height and weight."""
    return body_surface(record.height_cm, record.weight_kg)


class Lymphodepletion(CRF):
    """One drug on one day. The registry names the drugs and "several days prior"; doses are not public."""

    form = "lymphodepletion"
    domain = "EC"
    repeats = "log"
    dated_by = "admin_dt"

    drug = code(LD_DRUG, en="Drug", zh="药物", cdash="ECTRT", required=True)
    planned_day = whole(
        en="Planned day (before the planned infusion)",
        zh="计划给药日(相对计划回输日)",
        unit="day",
        hard=(-14, -1),
        soft=(-6, -2),
        required=True,
    )
    admin_dt = moment(en="Start of administration", zh="给药开始时间", cdash="ECSTDAT+ECSTTIM", required=True)
    weight_kg = number(5, 1, en="Weight", zh="体重", unit="kg", hard=(25, 250), required=True)
    height_cm = number(5, 1, en="Height", zh="身高", unit="cm", hard=(100, 230), required=True)
    bsa_m2 = number(
        4, 2, en="Body surface area (Mosteller)", zh="体表面积(Mosteller 公式)", unit="m2", calc=bsa
    )
    planned_mg_m2 = number(
        7, 2, en="Planned dose per m2", zh="计划剂量(每平方米)", unit="mg/m2", hard=(0, 2000), required=True
    )
    planned_mg = number(
        8,
        1,
        en="Planned dose",
        zh="计划剂量",
        cdash="ECDOSE (ECMOOD=SCHEDULED)",
        unit="mg",
        hard=(0, 5000),
        required=True,
        note=T(
            "Fludarabine: after the renal factor that was applied.", "氟达拉滨:按肾功能系数调整后的剂量。"
        ),
        sdtm="ECDOSE, ECDOSU where ECMOOD = SCHEDULED",
    )
    actual_mg = number(
        8,
        1,
        en="Dose given",
        zh="实际剂量",
        cdash="ECDOSE (ECDOSU=mg)",
        unit="mg",
        hard=(0, 5000),
        required=True,
        sdtm="ECDOSE, ECDOSU where ECMOOD = PERFORMED",
    )
    not_given_reason = code(
        NOT_GIVEN,
        en="Reason not given",
        zh="未给药原因",
        cdash="ECREASOC",
        when={"actual_mg": (0,)},
        required=True,
    )
    mesna_given = yes_no(en="Mesna given", zh="是否使用美司钠", when={"drug": ("CYCLOPHOSPHAMIDE",)})

    class Meta(CRF.Meta):
        verbose_name = T("Lymphodepletion", "清淋预处理")

    def doubts(self) -> Iterator[Doubt]:
        """The planned dose against the dose per m2: cyclophosphamide equal, fludarabine never above."""
        full = dose_mg(self.planned_mg_m2, bsa(self))
        if full is None or self.planned_mg is None or self.drug not in LD_DRUG.codes:
            return
        above, below = self.planned_mg - full > _ROUNDING_MG, full - self.planned_mg > _ROUNDING_MG
        if not above and (not below or self.drug == "FLUDARABINE"):
            return
        sign = "≤" if self.drug == "FLUDARABINE" else "="
        yield Doubt(
            "planned_mg",
            "lymphodepletion.planned_dose",
            T(
                f"A planned dose of {self.planned_mg} mg was entered; {self.planned_mg_m2} mg/m2 at "
                f"{bsa(self)} m2 make {full} mg. Check dose, height and weight, or explain the difference.",
                f"录入的计划剂量为 {self.planned_mg} mg;按 {self.planned_mg_m2} mg/m2 与体表面积 "
                f"{bsa(self)} m2 计算为 {full} mg。请核对剂量、身高和体重,或说明差异原因。",
            ),
            value=str(self.planned_mg),
            limit=f"{sign} {full} mg",
        )
