"""Arrays as the content of a file."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np


def npz_bytes(arrays: Mapping[str, Any]) -> bytes:
    """Return arrays as the content of an npz file.

    Parameters
    ----------
    arrays : mapping
        Arrays by name.
    """
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()
