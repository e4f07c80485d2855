"""Runs a command on a terminal of its own, presses a key when it asks, and exits as it does.

    ask.py KEY COMMAND ...       KEY is y, n or ^C
"""

import os
import pty
import sys

key = {"^C": b"\x03", "y": b"y\n", "n": b"n\n"}[sys.argv[1]]
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
said = b""
pressed = False
while True:
    try:
        some = os.read(terminal, 4096)
    except OSError:  # the end, as Linux tells it
        break
    if not some:
        break
    said += some
    if not pressed and b"[y/N] " in said:
        os.write(terminal, key)
        pressed = True
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if pressed else 99)
