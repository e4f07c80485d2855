"""The threads of the engine: a queue that keeps order, and a clock for what happens later."""

import heapq
import itertools
import sys
import threading
import traceback


class Queue:
    """Runs jobs one after another, in the order they came, on its own thread; a job never blocks who gives it."""

    def __init__(self, name):
        self._name = name
        self._jobs = []
        self._busy = False
        self._changed = threading.Condition()
        self._thread = None

    def put(self, job, *args):
        with self._changed:
            self._jobs.append((job, args))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def wait_empty(self, timeout):
        """True once nothing waits and nothing runs; False if that takes longer than timeout seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._busy, timeout)

    def idle(self):
        with self._changed:
            return not self._jobs and not self._busy

    def clear(self):
        with self._changed:
            self._jobs.clear()

    def _run(self):
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._jobs)
                jobs, self._jobs = self._jobs, []
                self._busy = True
            for job, args in jobs:
                try:
                    job(*args)
                except Exception:  # noqa: BLE001 - one bad job must not end the thread
                    report(self._name)


class Clock:
    """Runs functions after a while, on one thread."""

    def __init__(self):
        self._due = []
        self._busy = False
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread = None

    def after(self, seconds, function, *args):
        import time

        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), function, args))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def wait_empty(self, timeout):
        """True once nothing is due and nothing runs; False if that takes longer than timeout seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._busy, timeout)

    def idle(self):
        with self._changed:
            return not self._due and not self._busy

    def clear(self):
        with self._changed:
            self._due.clear()
            self._changed.notify_all()

    def _run(self):
        import time

        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                while not self._due or self._due[0][0] > time.monotonic():
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                _, _, function, args = heapq.heappop(self._due)
                self._busy = True
            try:
                function(*args)
            except Exception:  # noqa: BLE001
                report("clock")


def report(where):
    """Prints what went wrong in a thread nobody waits for."""
    print(f"drawbridge_moto: {where}: {traceback.format_exc()}", file=sys.stderr, flush=True)


clock = Clock()
