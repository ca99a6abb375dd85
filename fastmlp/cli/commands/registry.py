"""All commands, in the order of `fastmlp --help`."""

from fastmlp.cli.commands import (
    completion,
    demo,
    evaluate,
    export,
    info,
    predict,
    prepare,
    report,
    retrain,
    run,
    sweep,
    warm,
)  # fmt: skip
from fastmlp.cli.commands.command import Command

COMMANDS: dict[str, Command] = {
    "prepare": prepare.COMMAND,
    "run": run.COMMAND,
    "sweep": sweep.COMMAND,
    "retrain": retrain.COMMAND,
    "evaluate": evaluate.COMMAND,
    "report": report.COMMAND,
    "predict": predict.COMMAND,
    "export": export.COMMAND,
    "info": info.COMMAND,
    "demo": demo.COMMAND,
    "warm": warm.COMMAND,
    "completion": completion.COMMAND,
}
