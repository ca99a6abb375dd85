"""The exit statuses of all commands."""

SUCCESS, ALL_FAILED, WRONG_INPUT, SOME_FAILED, HUNG_UP, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 129, 130, 143
EXIT_STATUSES = {
    SUCCESS: "success",
    ALL_FAILED: "every configuration failed",
    WRONG_INPUT: "the arguments or the input cannot be used: one line on stderr says why",
    SOME_FAILED: "some configurations failed, the others are compared",
    HUNG_UP: "its terminal was closed; the same command resumes a training",
    INTERRUPTED: "interrupted by Ctrl-C; the same command resumes a training",
    TERMINATED: "ended by SIGTERM; the same command resumes a training",
}


def exit_statuses_text() -> str:
    """Return a line for each exit status, for the end of `--help`."""
    return "\n".join(["exit status:", *(f"  {status:<4} {meaning}" for status, meaning in EXIT_STATUSES.items())])
