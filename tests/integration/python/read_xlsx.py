"""Prints the sheets of a workbook as JSON: the title, and each row's cells as [value, data type]."""

import json
import sys

import openpyxl


def text(value):
    """A cell's value. openpyxl undoes the escape of an underscore (ECMA-376, 22.9.2.19) in shared strings only."""
    return value.replace("x005F_", "") if isinstance(value, str) else value


workbook = openpyxl.load_workbook(sys.argv[1])
sheets = [
    {
        "title": sheet.title,
        "shown": sheet is workbook.active,
        "frozen": sheet.freeze_panes,
        "filter": sheet.auto_filter.ref,
        "rows": [[[text(cell.value), cell.data_type] for cell in row] for row in sheet.iter_rows()],
    }
    for sheet in workbook.worksheets
]
json.dump(sheets, sys.stdout)
