# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the application with `python -m facetrack_app`."""

import sys

from facetrack_app.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
