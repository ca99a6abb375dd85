"""`python -m fastmlp`."""

from fastmlp.cli.main import command

if __name__ == "__main__":
    command()
