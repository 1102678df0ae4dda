"""Korea Standard Time: the day of a rank is a Korean day, wherever the process runs."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

KST = timezone(timedelta(hours=9), "KST")
"""UTC+9 all year: Korea has no summer time."""


def kst_day(moment: datetime) -> date:
    """The Korean calendar day of an aware moment."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone has no Korean day")
    return moment.astimezone(KST).date()


@dataclass(frozen=True, slots=True)
class NightSchedule:
    """When the night begins, each day, in Korean time."""

    hour: int
    minute: int

    def newest(self, moment: datetime) -> datetime:
        """The last beginning that is not later than an aware moment."""
        begun = datetime.combine(kst_day(moment), time(self.hour, self.minute), tzinfo=KST)
        return begun if begun <= moment else begun - timedelta(days=1)
