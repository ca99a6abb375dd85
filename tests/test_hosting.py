"""What a public host reads: workflows that run the parts of .ci/run, forms for issues, the citation."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted({*(ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")} - {ROOT / ".github/ISSUE_TEMPLATE/config.yml"})
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def jobs():
    """(workflow, name, job) of every job."""
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items():
            yield path.name, name, job


def values(job, name):
    """All values that a job's matrix gives a variable."""
    matrix = job.get("strategy", {}).get("matrix", {})
    return [*matrix.get(name, []), *(more[name] for more in matrix.get("include", []) if name in more)]


def commands(job):
    """Every command of a job, with each part that its matrix names."""
    text = "\n".join(step.get("run", "") for step in job.get("steps", []))
    return [text.replace("${{ matrix.part }}", part) for part in values(job, "part") or [""]]


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("custom.github-workflows-require-timeout", [path for path in WORKFLOWS if path.name != "release.yml"]),
        ("vendor.github-issue-forms", FORMS),
        ("vendor.github-issue-config", [ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"]),
        ("vendor.citation-file-format", [ROOT / "CITATION.cff"]),
    ],
)
def test_files_follow_their_schema(schema, files):
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflows_run_every_part_of_ci_and_no_others():
    parts = re.search(r"^parts=\((.*)\)$", CI, re.MULTILINE)[1].split()
    assert sorted(parts) == sorted(re.findall(r"^run_(\w+)\(\)", CI, re.MULTILINE))
    run = {part for *_, job in jobs() for text in commands(job) for part in re.findall(r"\.ci/run (\w+)", text)}
    assert run == set(parts)


@pytest.mark.skipif(sys.platform == "win32", reason="bash may be another system's there")
def test_a_part_that_is_none_is_refused_before_anything_is_done():
    done = subprocess.run(["bash", ".ci/run", "lint", "lints"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("lints is no part; expected one of tests ")


def test_the_tests_run_on_every_python_and_system_that_the_package_names():
    (job,) = (job for workflow, name, job in jobs() if (workflow, name) == ("tests.yml", "test"))
    named = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", text) for text in PROJECT["classifiers"]]
    assert values(job, "python") == [match[1] for match in named if match]
    assert PROJECT["requires-python"] == f">={values(job, 'python')[0]}"
    systems = [text.split(" :: ")[-1] for text in PROJECT["classifiers"] if text.startswith("Operating System")]
    runners = {"MacOS": "macos-latest", "Windows": "windows-latest", "Linux": "ubuntu-latest"}
    assert {runners[system] for system in systems} | {"ubuntu-24.04-arm"} == set(values(job, "os"))


def test_the_commands_for_windows_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (quick,) = re.findall(r"^QUICK := (.*)$", makefile, re.MULTILINE)
    (job,) = (job for workflow, name, job in jobs() if (workflow, name) == ("tests.yml", "test"))
    assert f"python -m pytest {quick}" in commands(job)[0]


def test_the_citation_is_that_of_its_page_and_of_this_version_and_the_changelog_begins_with_it_or_what_comes_next():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert citation["authors"] == PROJECT["authors"]
    page = (ROOT / "docs" / "cite.md").read_text(encoding="utf-8")
    assert f"{citation['title']}. Version {citation['version']}." in page
    first = re.search(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert first == "Unreleased" or re.fullmatch(rf"{re.escape(PROJECT['version'])}, \d{{4}}-\d\d-\d\d", first)
