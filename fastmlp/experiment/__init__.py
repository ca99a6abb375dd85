"""Sweep, retrain, evaluate: functions over a run directory.

asked    recipe, names, search: the experiment, the recipes that come along, what settings are drawn from;
         reference: what others got; labels: what cells are called
done     sweep, retrain, evaluate, and whole: all of it in one go; chosen: the cell that is trained again
trained  side_by_side, parallel: by the threads of this machine; optuna_search: by what earlier cells got;
         cluster, dask_cluster, ray_cluster, worker: on other machines; outcome: what becomes of a cell
kept     run: the files of a run directory; store: its cells, known by what made them; record: run.json
shown    groups, statistics: seeds taken together; summary, words, figures
"""
