"""Sweep, retrain, evaluate: functions over a run directory."""
