"""Sweep, retrain, evaluate: functions over the folder of a run.

builtin_recipes, search_space, recipe, recipe_file
    The experiment: the recipes that come with the library, what a search draws from, a recipe, a recipe in a file.
sweep, optuna_search, retrain, evaluate, pipeline
    The steps: train all cells, choose them by Optuna, train the best one on all rows, evaluate it, all of it in one go.
executors
    Who trains the cells: the threads of this machine, or the workers of a cluster.
progress
    What a terminal shows meanwhile.

What is on the disk is in `fastmlp.runs`, and what a reader sees of it in `fastmlp.report`.
"""
