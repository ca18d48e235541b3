# SPDX-License-Identifier: GPL-3.0-or-later
"""The application's subcommands, entry points of `facetrack`; importing one is cheap."""
