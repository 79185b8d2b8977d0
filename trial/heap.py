"""What a process has loaded stays with it: Python need not look through it again and again for what is no longer used."""

import gc

OFTEN = 20_000
"""New objects after which the young ones are looked through: one subject's casebook is a good part of that."""


def settle() -> None:
    """Leave everything there is out of later collections, and collect less often. For a process that works in bulk.

    A study's code and tables are half a million objects; while casebooks are made and dropped, a third of the processor
    time went into looking through them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OFTEN, 10, 10)
