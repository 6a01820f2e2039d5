# SPDX-License-Identifier: MPL-2.0
"""Runs jobs, at most two at once, and hands their results to the main thread as they come.

The workers are daemon threads and the main thread only ever waits on a queue, so a signal ends
the whole run at once; the caller then stops what the workers started.
"""

import queue
import threading
import time
import traceback

WORKERS = 2


def run(jobs, on_result, on_job_end):
    """Run all jobs; the callbacks are called in this thread."""
    waiting = queue.SimpleQueue()
    events = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    for _ in range(min(WORKERS, len(jobs))):
        threading.Thread(target=_work, args=(waiting, events), daemon=True).start()
    left = len(jobs)
    while left:
        job, result, seconds = events.get()
        if result is not None:
            on_result(job, result)
        else:
            left -= 1
            on_job_end(job, seconds)


def _work(waiting, events):
    """A worker: events are (job, Result, None), and (job, None, seconds) at the job's end."""
    from keel.testing.model import Result
    while True:
        try:
            job = waiting.get_nowait()
        except queue.Empty:
            return
        started = time.monotonic()
        try:
            job.run(lambda result, job=job: events.put((job, result, None)))
        except Exception:  # whatever it is, it is this job's failure, and the others go on
            failure = Result("runner", job.title, "host", False, traceback.format_exc())
            events.put((job, failure, None))
        events.put((job, None, time.monotonic() - started))
