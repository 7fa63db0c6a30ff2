"""A process with the service imported that forks one for each line of JSON it reads: starting takes 0.2 s instead of 1.5.

What it forks is a process of its own and is killed as one. A line is {env, log}; the answer is the process's number.
"""

import gc
import json
import os
import signal
import sys
from typing import Any

from app import cli


def serve(env: dict[str, str], log: str) -> None:
    """Become the service, as `python -m app serve` is."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(env)
    said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["app", "serve"]
    cli.main()


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what has ended is gone, nobody waits for it here
    gc.freeze()
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                serve(asked["env"], asked["log"])
            finally:
                os._exit(1)
        print(child, flush=True)


if __name__ == "__main__":
    main()
