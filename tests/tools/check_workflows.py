"""What the linters of workflows leave open: pinned actions, what the workflows call, and the order in which a release is made.

Run in the folder of the repository: .tools/lint/bin/python tests/tools/check_workflows.py
"""

import copy
import os
import pathlib
import re

import yaml

WORKFLOWS = {file.name: file.read_text(encoding="utf-8") for file in sorted(pathlib.Path(".github/workflows").glob("*.yml"))}
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
# Made by another command than the checks run.
CALLED = re.compile(r"(?:bash |python3 )?((?:\.ci|package|tests)/[\w.-]+)")


def every_use_is_pinned(texts):
    """To a commit, with the version beside it, and each action to one commit everywhere."""
    commits = {}
    for name, text in texts.items():
        for use in re.findall(r"uses: (.+)", text):
            assert PINNED.fullmatch(use), f"{name}: {use}"
            action, commit = use.split("@")
            assert commits.setdefault(action, commit) == commit, f"{action} is pinned twice"


def what_is_called_exists(workflows, exists=os.access):
    for name, workflow in workflows.items():
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                for call in CALLED.findall(step.get("run", "")):
                    assert exists(call, os.R_OK), f"{name} calls {call}, which is not there"


def rights(workflows):
    """Nothing for a workflow as a whole; to write only where it publishes, to sign only where it packages."""
    for name, workflow in workflows.items():
        assert workflow["permissions"] == {}, name
        for job, about in workflow["jobs"].items():
            allowed = {"package": {"id-token", "attestations"}, "publish": {"contents"}}.get(job, set()) if name == "release.yml" else set()
            writes = {scope for scope, right in about["permissions"].items() if right != "read"}
            assert writes == allowed, f"{name}: {job} may write {writes}"
            for step in about["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False, f"{name}: {job} keeps the token"


def runs(job):
    return " ".join(step.get("run", step.get("uses", "")) for step in job["steps"])


def order(release):
    """Nothing is packaged that was not tested, nothing attested or published that was not packaged twice the same."""
    jobs = release["jobs"]
    assert [jobs[name].get("needs") for name in ("version", "test", "package", "publish")] == [None, "version", "test", "package"]
    assert all("if" not in job and "continue-on-error" not in job for job in jobs.values())
    assert all("if" not in step and "continue-on-error" not in step for job in jobs.values() for step in job["steps"])
    for name, parts in {
        "version": ["package/version.py"],
        "test": [".ci/rust", ".ci/run"],
        "package": [".ci/rust", "tests/reproducible", "package/build", "actions/attest@", "actions/attest@", "actions/upload-artifact@"],
        "publish": ["actions/download-artifact@", "package/publish", "package/release"],
    }.items():
        at, text = 0, runs(jobs[name])
        for part in parts:
            assert part in text[at:], f"{name}: {part} is missing or comes too early"
            at = text.index(part, at) + len(part)
    assert release[True] == {"push": {"tags": ["v*"]}} and release["concurrency"]["cancel-in-progress"] is False


def check(texts):
    workflows = {name: yaml.safe_load(text) for name, text in texts.items()}
    assert set(workflows) == {"ci.yml", "release.yml"}
    every_use_is_pinned(texts)
    what_is_called_exists(workflows)
    rights(workflows)
    order(workflows["release.yml"])
    ci = workflows["ci.yml"]
    assert ci[True] == {"push": {"branches": ["main"]}, "pull_request": None} and "bash .ci/run" in runs(ci["jobs"]["test"])


# Mistakes that must be noticed: the workflow, what stands there, what is put in its place.
MISTAKES = [
    ("ci.yml", r"@[0-9a-f]{40} # v7.0.1", "@v7"),
    ("ci.yml", r" # v7.0.1", ""),
    ("ci.yml", "contents: read", "contents: write"),
    ("ci.yml", "bash .ci/run", "bash .ci/runs"),
    ("ci.yml", "persist-credentials: false", "persist-credentials: true"),
    ("release.yml", "permissions: {}", "permissions: write-all"),
    ("release.yml", "needs: test", "needs: version"),
    ("release.yml", "bash tests/reproducible", "echo"),
    ("release.yml", "run: bash package/build", "run: bash package/build\n        if: success()"),
    ("release.yml", r"actions/attest@[0-9a-f]{40}", "actions/attest@" + 40 * "0"),
    ("release.yml", r'\["v\*"\]', '["*"]'),
    ("release.yml", "cancel-in-progress: false", "cancel-in-progress: true"),
    ("release.yml", "package/publish", "package/publishes"),
]


def main():
    check(WORKFLOWS)
    for file, stands, instead in MISTAKES:
        wrong = copy.copy(WORKFLOWS)
        wrong[file], count = re.subn(stands, instead, wrong[file], count=1)
        assert count, f"{file}: {stands!r} does not stand there any more"
        try:
            check(wrong)
        except AssertionError:
            continue
        raise AssertionError(f"{file}: not noticed: {instead!r} for {stands!r}")
    print(f"{len(WORKFLOWS)} workflows: pinned, with the rights they need, in order; {len(MISTAKES)} mistakes are noticed")


main()
