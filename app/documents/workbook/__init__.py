"""A proposal as a workbook (XLSX): written with drop-downs and help, and read back with the cell of every fault.

`sheets` says what stands where, once; `writing` and `reading` follow it, `cells` reads the file itself.
"""

from app.documents.workbook.cells import MOST_BYTES, Unreadable
from app.documents.workbook.reading import CellFault, Reading, read_workbook
from app.documents.workbook.writing import write_workbook

__all__ = ["MOST_BYTES", "CellFault", "Reading", "Unreadable", "read_workbook", "write_workbook"]
