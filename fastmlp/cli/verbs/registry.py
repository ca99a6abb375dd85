"""All verbs, in the order of `fastmlp --help`."""

from fastmlp.cli.verbs import (
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
from fastmlp.cli.verbs.verb import Verb

VERBS: dict[str, Verb] = {
    "prepare": prepare.VERB,
    "run": run.VERB,
    "sweep": sweep.VERB,
    "retrain": retrain.VERB,
    "evaluate": evaluate.VERB,
    "report": report.VERB,
    "predict": predict.VERB,
    "export": export.VERB,
    "info": info.VERB,
    "demo": demo.VERB,
    "warm": warm.VERB,
    "completion": completion.VERB,
}
