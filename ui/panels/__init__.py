"""The result panels of the Review page, one module each: codes, claim, gaps, E/M level, what wasn't coded, and changes.

Words of the note and of files reach the page through `html.escape` or as plain text, never as Markdown.
"""

from ui.panels.changes import changes_panel
from ui.panels.claim import claim_panel
from ui.panels.codes import codes_panel
from ui.panels.gaps import gaps_panel
from ui.panels.level import level_panel
from ui.panels.why_not import why_not_panel
from ui.parts import esc, plain_label

__all__ = [
    "changes_panel", "claim_panel", "codes_panel", "esc", "gaps_panel", "level_panel", "plain_label", "why_not_panel",
]  # fmt: skip
