"""The recipes that come with the library. Nothing heavy is loaded here: the command line's help lists them."""

from importlib import resources


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the library, such as "ee541"."""
    files = resources.files("fastmlp.recipes").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def recipe_text(name: str) -> str:
    """Return a recipe that comes with the library, as TOML.

    Parameters
    ----------
    name : str
        One of `recipe_names`.
    """
    return resources.files("fastmlp.recipes").joinpath(f"{name}.toml").read_text(encoding="utf-8")
