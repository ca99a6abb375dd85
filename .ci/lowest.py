"""Print the oldest version of each package that pyproject.toml allows for the library and its tests, for `pip -c`."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in (*project["dependencies"], *project["optional-dependencies"]["test"]):
    name, version = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement).groups()
    print(f"{name}=={version}")
print("pyparsing<3.3")  # from which on it calls what the oldest matplotlib calls deprecated
