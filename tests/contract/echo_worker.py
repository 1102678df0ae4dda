"""A Celery application as plain as can be: it notes which tasks it was given, and with what."""

import os

from celery import Celery
from redis import Redis

app = Celery("echo", broker=os.environ["ECHO_BROKER"], set_as_current=False)
app.conf.update(
    accept_content=["json"],
    broker_transport_options={"global_keyprefix": os.environ.get("ECHO_PREFIX", "")},
    task_create_missing_queues=True,
    worker_hijack_root_logger=False,
)


@app.task(name="rank_check", bind=True)
def rank_check(self, task_id):  # type: ignore[no-untyped-def]
    note = f"{task_id} {self.request.id} {self.request.correlation_id}"
    with Redis.from_url(os.environ["ECHO_NOTES"]) as notes:
        notes.rpush("notes", note)
