"""Command line: `python -m launch run | with -- COMMAND | services`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (older ones must get a sentence, not a syntax error)
    sys.exit("This program needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".")

from launch.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
