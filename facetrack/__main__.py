"""Run the command line with `python -m facetrack`."""

import sys

from facetrack.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
