"""How this package changes moto: by name, loudly, and reversibly to read.

Every change names the class it touches. A name that moto no longer has, or a gap that moto has closed by itself, stops the
engine at import, so an upgrade of moto can never quietly undo a correction.
"""

import functools
import inspect

import moto


class MotoChanged(RuntimeError):
    """The pinned moto is not the moto this package was written for."""


def replace(owner, name):
    """Decorates a function f(original, self, …) that stands in for owner.name from now on."""
    raw = inspect.getattr_static(owner, name, None)
    if raw is None:
        raise MotoChanged(f"moto {moto.__version__}: {_title(owner)} has no {name} any more; see {__package__}")
    bound = isinstance(raw, (classmethod, staticmethod))
    original = raw.__func__ if bound else raw

    def decorate(function):
        if isinstance(raw, property):
            setattr(owner, name, property(functools.partial(_with_original, function, raw.fget)))
            return function

        @functools.wraps(original)
        def replacement(*args, **kwargs):
            return function(original, *args, **kwargs)

        setattr(owner, name, type(raw)(replacement) if bound else replacement)
        return function

    return decorate


def _with_original(function, original, self):
    return function(original, self)


def add(owner, name):
    """Decorates a method that moto lacks."""
    if inspect.getattr_static(owner, name, None) is not None:
        raise MotoChanged(f"moto {moto.__version__}: {_title(owner)} has its own {name} now; see {__package__}")

    def decorate(function):
        setattr(owner, name, function)
        return function

    return decorate


def require(owner, *names):
    """Stops the engine unless every name this package reads, without replacing it, is still there."""
    for name in names:
        if inspect.getattr_static(owner, name, None) is None:
            raise MotoChanged(f"moto {moto.__version__}: {_title(owner)} has no {name} any more; see {__package__}")


def _title(owner):
    return getattr(owner, "__qualname__", None) or getattr(owner, "__name__", str(owner))


_resets = []


def on_reset(function):
    """Decorates a function that forgets what this package knows; runs with POST /moto-api/reset."""
    _resets.append(function)
    return function


def install_reset():
    """POST /moto-api/reset forgets what this package knows too, and does not build every backend anew to throw it away."""
    from moto.core.base_backend import BackendDict, BaseBackend, backend_lock
    from moto.moto_api._internal.models import MotoAPIBackend

    @replace(BackendDict, "reset")
    def reset_backends(_original, cls):
        with backend_lock:
            for backends in list(BackendDict._instances):
                for regions in list(backends.values()):
                    for backend in list(regions.values()):
                        if type(backend).reset is not BaseBackend.reset:
                            backend.reset()
                backends.clear()
            BackendDict._instances.clear()

    @replace(MotoAPIBackend, "reset")
    def reset(original, self):
        for function in _resets:
            function()
        original(self)
