"""How much a file may hold. Numbers of ours, stated before anything is read; EDC_IMPORT_MAX_BYTES changes the first."""

import os

MOST_BYTES = int(os.environ.get("EDC_IMPORT_MAX_BYTES", 60 * 2**20))
MOST_INFLATED = 400_000_000
# What a workbook makes us hold in memory at once: its shared texts and styles, by bytes and by number of tags.
MOST_HELD = 32_000_000
MOST_TAGS = 2_000_000
MOST_RATIO = 100
RATIO_FROM = 1_000_000
MOST_PARTS = 500
MOST_COLUMNS = 1_000
MOST_CELL = 10_000
# Up to this size a file is checked while its sender waits; a larger one is a job of the worker.
AT_ONCE_BYTES = 200_000
