"""Korea Standard Time: the day of a rank is a Korean day, wherever the process runs."""

from datetime import date, datetime, timedelta, timezone

KST = timezone(timedelta(hours=9), "KST")
"""UTC+9 all year: Korea has no summer time."""


def kst_day(moment: datetime) -> date:
    """The Korean calendar day of an aware moment."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone has no Korean day")
    return moment.astimezone(KST).date()
