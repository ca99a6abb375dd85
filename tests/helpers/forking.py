"""The process of `fork_server`, seen from a test."""

import json
import os
import subprocess
import sys
from pathlib import Path

HELPERS = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HELPERS.parents[1]), "OPENBLAS_NUM_THREADS": "1"}


class Server:
    """A process that forks a child per command."""

    def __init__(self, warming):
        command = [sys.executable, HELPERS / "fork_server.py", *warming]
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        )

    def run(self, arguments, **end):
        """The child's status, negative when a signal ended it, and the seconds it lived."""
        self._process.stdin.write(json.dumps({"arguments": list(map(str, arguments)), **end}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["status"], answer["seconds"]

    def close(self):
        self._process.communicate()
