"""ICD-10-CM releases by date of service: look up, descend, read notes; import of official files.

from code_maps.icd10cm import load
codes = load(date(2026, 5, 12))
codes.title("I50.22"); codes.children("I50.2"); codes.excludes1("E10.9", "E11.9")
"""

from code_maps.icd10cm.codeset import CodeSet, IndexEntry
from code_maps.icd10cm.diff import Diff, Stand, diff, history
from code_maps.icd10cm.importer import ImportResult, import_paths
from code_maps.icd10cm.notes import CodeRanges, Instruction, dotted, parse_codes
from code_maps.icd10cm.problems import ImportProblem, UnknownCode, UnknownRelease
from code_maps.icd10cm.release import ReleaseInfo, load, open_release, releases
from code_maps.icd10cm.search import search

__all__ = [
    "CodeRanges",
    "CodeSet",
    "Diff",
    "ImportProblem",
    "ImportResult",
    "IndexEntry",
    "Instruction",
    "ReleaseInfo",
    "Stand",
    "UnknownCode",
    "UnknownRelease",
    "diff",
    "dotted",
    "history",
    "import_paths",
    "load",
    "open_release",
    "parse_codes",
    "releases",
    "search",
]
