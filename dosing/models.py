"""Forms about what the subject receives."""

from dosing.administration import DoseAllocation, Infusion
from dosing.collection import Apheresis, Bridging
from dosing.committee import SrcReview
from dosing.conditioning import Lymphodepletion
from dosing.product import ChainOfIdentity, Manufacturing

__all__ = [
    "Apheresis",
    "Bridging",
    "ChainOfIdentity",
    "DoseAllocation",
    "Infusion",
    "Lymphodepletion",
    "Manufacturing",
    "SrcReview",
]
