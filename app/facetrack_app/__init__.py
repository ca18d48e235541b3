# SPDX-License-Identifier: GPL-3.0-or-later
"""The desktop application: watch a face live, annotate a video, teach the tracker."""
