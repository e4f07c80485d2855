"""Where a peering or an attachment to a transit gateway stands: states that pass by themselves, as those who ask see them."""

import time

from . import config


class Status:
    """Where a thing stands. A passing state ends after PENDING_POLLS Describe answers, or by itself after a while."""

    def __init__(self):
        self.code, self.message, self._next, self._polls, self._since = "", "", None, 0, 0.0

    def set(self, code, message, then=None):
        """Enters a state; then, a pair (code, message), is where a passing state leads."""
        self.code, self.message, self._next = code, message, then
        self._polls, self._since = config.PENDING_POLLS, time.monotonic()
        if then and not self._polls:
            self.settle()

    def seen(self):
        """Called after an answer that showed this state."""
        if self._next:
            self._polls -= 1
            if self._polls <= 0:
                self.settle()

    def settle(self):
        if self._next:
            self.set(*self._next)

    def age(self):
        if self._next and time.monotonic() - self._since > config.PEERING_SECONDS:
            self.settle()
