"""CMS's Medicare Coverage Database: import of its downloads, and the policies that stand in them."""

from code_maps.coverage.mcd.importer import ImportReport, Warned, import_paths
from code_maps.coverage.mcd.store import Imported, read_manifest

__all__ = ["ImportReport", "Imported", "Warned", "import_paths", "read_manifest"]
