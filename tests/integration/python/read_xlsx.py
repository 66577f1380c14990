"""Prints the sheets of a workbook as JSON: the title, and each row's cells as [value, data type]."""

import json
import sys

import openpyxl

workbook = openpyxl.load_workbook(sys.argv[1])
sheets = [
    {
        "title": sheet.title,
        "frozen": sheet.freeze_panes,
        "filter": sheet.auto_filter.ref,
        "rows": [[[cell.value, cell.data_type] for cell in row] for row in sheet.iter_rows()],
    }
    for sheet in workbook.worksheets
]
json.dump(sheets, sys.stdout)
