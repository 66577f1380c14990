"""Evaluates conditions with another implementation of CEL: prints for each true, false or null for an error."""
import datetime
import json
import sys

import celpy
from celpy import celtypes


def value(kind, given):
    if kind == "time":
        return celtypes.TimestampType(given)
    if kind == "texts":
        return celtypes.ListType([celtypes.StringType(text) for text in given])
    return {"bool": celtypes.BoolType, "int": celtypes.IntType, "text": celtypes.StringType}[kind](given)


def lower(text):
    return celtypes.StringType(text.lower())


def domain(text):
    return celtypes.StringType(text.strip().rpartition("@")[2].lower() if "@" in text else "")


def days(number):
    return celtypes.DurationType(datetime.timedelta(days=int(number)))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        work = json.load(file)
    subjects = []
    for keys in work["subjects"]:
        roots = {}
        for path, kind, given in keys:
            root, _, key = path.partition(".")
            if key:
                roots.setdefault(root, celtypes.MapType())[celtypes.StringType(key)] = value(kind, given)
            else:
                roots[root] = value(kind, given)
        subjects.append(roots)
    environment = celpy.Environment()
    functions = {"lower": lower, "domain": domain, "days": days}
    results = []
    for expression in work["expressions"]:
        program = environment.program(environment.compile(expression), functions=functions)
        row = []
        for subject in subjects:
            try:
                row.append(bool(program.evaluate(subject)))
            except celpy.CELEvalError:
                row.append(None)
        results.append(row)
    json.dump(results, sys.stdout)


main()
