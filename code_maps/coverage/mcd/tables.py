"""The tables of CMS's Medicare Coverage Database downloads: which a lookup needs, and how their cells are read.

Sources: the LCD data dictionary of 2025-04-29; the column lists of June 2025 (LCD, NCD) and of 2026 (articles).
Only what is used here is listed: a table that isn't listed is kept with the columns that it has.
"""

from __future__ import annotations

from typing import Literal

KindName = Literal["article", "lcd", "ncd"]
KINDS: tuple[KindName, ...] = ("article", "lcd", "ncd")

# Tables of more than one download: they describe contractors and places, not documents.
SHARED = frozenset({
    "contractor", "contractor_jurisdiction", "contractor_oversight", "contractor_subtype_lookup",
    "contractor_type_lookup", "dmerc_region_lookup", "region_lookup", "state_lookup", "state_x_region",
    "update_period", "draft_contact_lookup", "reason_change_lookup", "synopsis_changes_fields_lookup",
})  # fmt: skip

# A download without one of these can't answer: it is refused.
NEEDED: dict[KindName, tuple[str, ...]] = {
    "article": (
        "article", "article_x_contractor", "article_x_hcpc_code", "article_x_hcpc_code_group",
        "article_x_hcpc_modifier", "article_x_hcpc_modifier_group", "article_x_icd10_covered",
        "article_x_icd10_covered_group", "article_x_icd10_noncovered", "article_x_icd10_noncovered_group",
        "article_related_documents", "contractor", "contractor_jurisdiction", "state_lookup",
    ),
    "lcd": ("lcd_x_contractor", "lcd_x_hcpc_code", "contractor", "contractor_jurisdiction", "state_lookup"),
    "ncd": ("ncd_trkg",),
}  # fmt: skip
# Without these it is taken, with a warning that says what is then unknown.
WANTED: dict[KindName, dict[str, str]] = {
    "article": {"article_future_retire": "retirements announced for a later date are unknown"},
    "lcd": {"lcd": "titles, dates and texts of LCDs are unknown"},
    "ncd": {},
}

# Columns that a lookup reads. A table without one is refused by name.
COLUMNS: dict[str, tuple[str, ...]] = {
    "article": ("article_id", "article_version", "article_type", "title", "article_eff_date", "article_end_date",
                "description", "status", "article_rev_end_date", "date_retired", "display_id"),
    "article_future_retire": ("article_id", "retire_dt"),
    "article_related_documents": ("article_id", "article_version", "r_lcd_id", "r_lcd_version"),
    "article_x_contractor": ("article_id", "article_version", "contractor_id", "contractor_type_id",
                             "contractor_version"),
    "article_x_hcpc_code": ("article_id", "article_version", "hcpc_code_id", "hcpc_code_group", "range"),
    "article_x_hcpc_code_group": ("article_id", "article_version", "hcpc_code_group", "paragraph"),
    "article_x_hcpc_modifier": ("article_id", "article_version", "hcpc_modifier_code_id", "hcpc_modifier_group"),
    "article_x_hcpc_modifier_group": ("article_id", "article_version", "hcpc_modifier_group", "paragraph"),
    "article_x_icd10_covered": ("article_id", "article_version", "icd10_code_id", "icd10_covered_group", "range",
                                "sort_order", "asterisk"),
    "article_x_icd10_covered_group": ("article_id", "article_version", "icd10_covered_group", "paragraph",
                                      "icd10_covered_ast"),
    "article_x_icd10_noncovered": ("article_id", "article_version", "icd10_code_id", "icd10_noncovered_group",
                                   "range", "sort_order"),
    "article_x_icd10_noncovered_group": ("article_id", "article_version", "icd10_noncovered_group", "paragraph"),
    "article_x_primary_jurisdiction": ("article_id", "article_version", "state_id"),
    "contractor": ("contractor_id", "contractor_type_id", "contractor_version", "contractor_bus_name",
                   "contractor_subtype_id"),
    "contractor_jurisdiction": ("contractor_id", "contractor_type_id", "contractor_version", "state_id",
                                "active_date", "term_date"),
    "state_lookup": ("state_id", "state_abbrev"),
    "lcd": ("lcd_id", "lcd_version", "title", "rev_eff_date", "rev_end_date", "status", "date_retired",
            "display_id"),
    "lcd_x_contractor": ("lcd_id", "lcd_version", "contractor_id", "contractor_type_id", "contractor_version"),
    "lcd_x_hcpc_code": ("lcd_id", "lcd_version", "hcpc_code_id", "hcpc_code_group", "range"),
    "lcd_x_hcpc_code_group": ("lcd_id", "lcd_version", "hcpc_code_group", "paragraph"),
    "lcd_related_documents": ("lcd_id", "lcd_version", "r_article_id", "r_article_version"),
    "ncd_trkg": ("ncd_id", "ncd_vrsn_num", "ncd_mnl_sect", "ncd_mnl_sect_title", "ncd_efctv_dt", "ncd_trmntn_dt",
                 "indctn_lmtn"),
}  # fmt: skip

# The one table that CMS ships without a header row (current_lcd, June 2025).
HEADERLESS: dict[str, tuple[str, ...]] = {
    "lcd_x_requestor_letters": ("lcd_id", "lcd_version", "letter_id", "requestor_name", "letter_path", "size",
                                "sort_order", "last_updated"),
}  # fmt: skip

# Whole numbers: kept as such, so that versions compare as numbers (10 comes after 9).
NUMBERS = frozenset({
    "article_id", "article_version", "lcd_id", "lcd_version", "ncd_id", "ncd_vrsn_num", "contractor_id",
    "contractor_type_id", "contractor_version", "contractor_subtype_id", "state_id", "hcpc_code_group",
    "hcpc_modifier_group", "icd10_covered_group", "icd10_noncovered_group", "sort_order", "r_article_id",
    "r_article_version", "r_lcd_id", "r_lcd_version", "r_ncd_id", "r_ncd_version", "related_num", "article_type",
    "region_id",
})  # fmt: skip
# A row without a number in one of these belongs to no document: it is left out and counted.
KEYS = ("article_id", "article_version", "lcd_id", "lcd_version", "ncd_id", "ncd_vrsn_num", "contractor_id")
# Dates that decide which version holds, by table: a cell that is neither blank nor a date refuses its row.
DATES: dict[str, tuple[str, ...]] = {
    "article": ("article_eff_date", "article_end_date", "article_rev_end_date", "date_retired"),
    "article_future_retire": ("retire_dt",),
    "contractor_jurisdiction": ("active_date", "term_date"),
    "lcd": ("rev_eff_date", "rev_end_date", "date_retired"),
    "ncd_trkg": ("ncd_efctv_dt", "ncd_trmntn_dt"),
}
INDEXES: dict[str, tuple[str, ...]] = {
    "article": ("article_id",),
    "article_x_contractor": ("article_id", "article_version"),
    "article_x_primary_jurisdiction": ("article_id", "article_version"),
    "article_related_documents": ("article_id", "article_version"),
    "article_x_hcpc_code": ("article_id", "article_version"),
    "article_x_hcpc_code_group": ("article_id", "article_version"),
    "article_x_hcpc_modifier": ("article_id", "article_version"),
    "article_x_hcpc_modifier_group": ("article_id", "article_version"),
    "article_x_icd10_covered": ("article_id", "article_version"),
    "article_x_icd10_covered_group": ("article_id", "article_version"),
    "article_x_icd10_noncovered": ("article_id", "article_version"),
    "article_x_icd10_noncovered_group": ("article_id", "article_version"),
    "lcd_x_hcpc_code": ("lcd_id", "lcd_version"),
}

# Titles of procedure codes and modifiers belong to the American Medical Association: they never enter the store.
_DESCRIPTORS = frozenset({"long_description", "short_description"})


def is_descriptor(table: str, column: str) -> bool:
    """Whether a column holds descriptors of procedures or modifiers."""
    return column in _DESCRIPTORS or (column == "description" and "hcpc" in table)


def kind_of(table: str) -> KindName | None:
    """The download that a table belongs to; None for a shared or unknown one."""
    return next((kind for kind in KINDS if table == kind or table.startswith(f"{kind}_")), None)
