"""What a fan-out is usually made of: a Celery task and a loop of `.delay()`."""

from time import perf_counter

from celery import Celery
from redis import Redis

SENT = 5_000
"""Messages of the loop: enough for a steady rate, few enough not to make the bench long."""


def delay_loop_rate(broker_url: str) -> float:
    """Messages a second of a plain `.delay()` loop on the same broker, with results ignored."""
    app = Celery("loop", broker=broker_url, set_as_current=False)
    app.conf.task_ignore_result = True

    @app.task(name="loop_probe")  # type: ignore[untyped-decorator]
    def probe(task_id: str) -> None:
        """Never runs: only its sending is measured."""

    probe.delay("warm-up")
    started = perf_counter()
    for number in range(SENT):
        probe.delay(str(number))
    rate = SENT / (perf_counter() - started)
    with Redis.from_url(broker_url) as client:
        client.delete("celery")
    app.close()
    return rate
