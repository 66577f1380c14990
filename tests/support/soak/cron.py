"""The fire times of a cron expression, worked out without rolecall: every second of a window is compared with it."""

import datetime

RANGES = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]


def values(field, lowest, highest):
    """What a field such as `*`, `*/5`, `3-59/7` or `1,30` admits."""
    admitted = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            first, last = lowest, highest
        admitted.update(range(int(first), int(last or first) + 1, int(step or 1)))
    return admitted


def times(expression, first, last):
    """The fire times from `first` to `last`, both included, as seconds since 1970. Six fields, seconds first; UTC."""
    second, minute, hour, day, month, weekday = (
        values(field, *span) for field, span in zip(expression.split(), RANGES, strict=True)
    )
    found = set()
    for moment in range(int(first), int(last) + 1):
        at = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
        if at.second in second and at.minute in minute and at.hour in hour and at.day in day and at.month in month:
            if at.isoweekday() % 7 in weekday:
                found.add(moment)
    return found
