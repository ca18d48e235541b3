# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen: widgets that show the model and hand on what the person does. No rules."""
