# SPDX-License-Identifier: GPL-3.0-or-later
"""What the application knows and does, without Qt: sessions, commands, settings, actions."""
