"""What the interpreter made of a state machine's definition, kept from one start of the engine to the next.

Gap: moto's parser takes a second for Drawbridge's machines, at each start, and they are the same ones nearly always.

What was parsed lies beside what Python compiled of this package, under the digest of all that it was made of: the definition, moto,
Python, and this package. Where that folder cannot be written, nothing is kept. Only what was parsed without an error is.
"""

import functools
import hashlib
import os
import pathlib
import pickle
import sys
import tempfile

import moto

_HERE = pathlib.Path(__file__).parent
FOLDER = _HERE / "__pycache__" / "machines"
MOST = 200  # files; a machine has 20 to 60 KB


def parsed(definition, parse):
    """What parse makes of the definition: a component, and the tree that it was made from, which is None if the component was kept."""
    path = FOLDER / _digest(definition)
    try:
        return pickle.loads(path.read_bytes()), None
    except Exception:  # noqa: BLE001 - none, or half a file: it is written anew
        pass
    component, tree = parse(definition)
    _keep(path, component)
    return component, tree


def _digest(definition):
    return hashlib.sha256(definition.encode() + _surroundings()).hexdigest()


@functools.cache
def _surroundings():
    """The parser and what this package changes of its components."""
    digest = hashlib.sha256(f"{moto.__version__} {sys.version}".encode())
    for path in sorted(_HERE.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


def _keep(path, component):
    if sys.dont_write_bytecode:
        return
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        kept = sorted(FOLDER.iterdir(), key=lambda one: one.stat().st_mtime)
        for old in kept[: max(0, len(kept) + 1 - MOST)]:
            old.unlink(missing_ok=True)
        # Others may start at the same moment: the file is there whole, or not.
        handle, unfinished = tempfile.mkstemp(dir=FOLDER)
        with os.fdopen(handle, "wb") as file:
            pickle.dump(component, file, pickle.HIGHEST_PROTOCOL)
        os.replace(unfinished, path)
    except (OSError, pickle.PicklingError, TypeError, RecursionError):
        pass
