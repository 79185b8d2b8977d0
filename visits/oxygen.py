"""Doubts about oxygen that vital signs and CRS assessments share: device and flow belong together."""

from collections.abc import Iterator
from typing import Any

from trial.findings import Doubt
from trial.text import T

FLOW_DEVICES = ("NASAL_CANNULA", "HIGH_FLOW_NC")
PRESSURE_DEVICES = ("CPAP", "BIPAP", "MECH_VENT")
WITH_DEVICE = (
    "NASAL_CANNULA",
    "BLOW_BY",
    "HIGH_FLOW_NC",
    "FACEMASK",
    "VENTURI",
    "NONREBREATHER",
    "CPAP",
    "BIPAP",
    "MECH_VENT",
)
LOW_FLOW_LIMIT = 6


def flow_doubts(record: Any, device: str) -> Iterator[Doubt]:
    """A cannula without flow (its grade stays open), and a flow that belongs to the other kind of cannula."""
    flow = record.o2_flow_lpm
    if device not in FLOW_DEVICES:
        return
    if flow is None:
        if record.status == "COMPLETE" and "o2_flow_lpm" not in record.missing:
            yield Doubt(
                "o2_flow_lpm",
                f"{record.form}.flow_missing",
                T(
                    "A nasal cannula is recorded without its flow, so no grade can be derived. Enter L/min.",
                    "已记录鼻导管吸氧但缺少氧流量。请填写 L/min;缺少流量时无法推导分级。",
                ),
            )
    elif device == "NASAL_CANNULA" and flow > LOW_FLOW_LIMIT:
        yield Doubt(
            "o2_flow_lpm",
            f"{record.form}.flow_for_low_flow_device",
            T(
                f"{flow} L/min is more than a low-flow cannula gives (6 L/min). Was it a high-flow cannula?",
                f"{flow} L/min 超过低流量鼻导管的上限(6 L/min)。是否为经鼻高流量吸氧?",
            ),
            str(flow),
            f"≤ {LOW_FLOW_LIMIT}",
        )
    elif device == "HIGH_FLOW_NC" and flow <= LOW_FLOW_LIMIT:
        yield Doubt(
            "o2_flow_lpm",
            f"{record.form}.flow_for_high_flow_device",
            T(
                f"{flow} L/min is low for a high-flow cannula (over 6 L/min). Was it a low-flow cannula?",
                f"{flow} L/min 对经鼻高流量吸氧偏低(应大于 6 L/min)。是否为低流量鼻导管?",
            ),
            str(flow),
            f"> {LOW_FLOW_LIMIT}",
        )
