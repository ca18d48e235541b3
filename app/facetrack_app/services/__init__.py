# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs beside the window: capture, tracking, re-tracking, recording. No widgets."""
