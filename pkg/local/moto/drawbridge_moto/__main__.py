"""Starts the server: python -m drawbridge_moto -p PORT (loopback only; PORT 0 picks a free one).

Prints "ready http://127.0.0.1:PORT" once it answers, and ends when its parent does or when standard input closes.
MOTO_PORT says where the state machines call AWS; without it they call this server.
"""

import argparse
import logging
import os
import signal
import sys
import warnings


def main():
    parser = argparse.ArgumentParser(prog="drawbridge_moto", description=__doc__.split("\n")[0])
    parser.add_argument("-p", "--port", type=int, default=0)
    arguments = parser.parse_args()

    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("moto").setLevel(logging.CRITICAL)  # a failed state is no error of the engine
    warnings.filterwarnings("ignore")
    # Clients inside the engine must find no credentials but the ones they are given, and no metadata service.
    os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: os._exit(0))

    from .server import serve

    server = serve("127.0.0.1", arguments.port)
    os.environ.setdefault("MOTO_PORT", str(server.port))
    print(f"ready http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
