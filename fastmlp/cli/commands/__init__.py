"""The subcommands of `fastmlp`, a module each. Each loads what it needs when it runs, so that `--help` is quick."""
