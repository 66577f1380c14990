"""Fills in a workbook as a person would, and saves it: JSON of an object of lists of cells to set, by item.

Prints what protects the sheet: whether it is protected, the choices of each list, and the letters of unlocked columns.
"""

import json
import sys

import openpyxl

path, edits = sys.argv[1:3]
workbook = openpyxl.load_workbook(path)
sheet = workbook.active
header = [cell.value for cell in sheet[1]]
with open(edits, encoding="utf-8") as file:
    edits = json.load(file)
for row in sheet.iter_rows(min_row=2):
    for column, value in edits.get(row[0].value, {}).items():
        row[header.index(column)].value = value
first = next(sheet.iter_rows(min_row=2, max_row=2))
json.dump(
    {
        "protected": sheet.protection.sheet,
        "frozen": sheet.freeze_panes,
        "choices": {str(one.sqref): one.formula1 for one in sheet.data_validations.dataValidation},
        "open": [name for name, cell in zip(header, first) if not cell.protection.locked],
        "types": sorted({cell.data_type for cell in first if cell.value is not None}),
    },
    sys.stdout,
)
workbook.save(path)
