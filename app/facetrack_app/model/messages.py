# SPDX-License-Identifier: GPL-3.0-or-later
"""What was said at the foot of the window: trouble that stands, and the news."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Messages:
    """What was said of one part of the window."""

    news: str = ""  # the last sentence that is not about trouble; empty after a while
    troubles: dict[str, str] = field(default_factory=dict)  # by concern, the newest last

    def say(self, text: str, trouble: bool, about: str) -> bool:
        """Take a sentence; returns whether something changed."""
        before = self.troubles.pop(about, "")
        if trouble and text:
            self.troubles[about] = text
            self.news = ""
        elif text:
            self.news = text
        return bool(before or text)

    @property
    def shown(self) -> tuple[str, bool]:
        """The sentence to show, and whether it is about trouble."""
        if self.news:
            return self.news, False
        newest = next(reversed(self.troubles.values()), "")
        return newest, bool(newest)

    def dismiss(self) -> None:
        """Drop what is shown."""
        if self.news:
            self.news = ""
        elif self.troubles:
            self.troubles.popitem()
