"""What the command line shows where its streams are poor."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python(code, **environment):
    """Run a script on this source tree; what it shows is returned as bytes."""
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, capture_output=True,
        check=True,
    )  # fmt: skip


def test_a_warning_is_one_line_as_an_error_is():
    done = python(
        "import warnings\nfrom fastmlp.cli.console import show_warnings_in_one_line\nshow_warnings_in_one_line()\n"
        "warnings.warn('kernels cannot\\nbe kept', RuntimeWarning, stacklevel=2)"
    )
    assert done.stderr == b"fastmlp: warning: kernels cannot be kept" + os.linesep.encode()
