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
# What may be written, by job of release.yml; elsewhere nothing.
WRITES = {"attest": {"id-token", "attestations"}, "publish": {"contents"}}
SUMS = "sha256sum --check --strict SHA256SUMS"


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
    """Nothing for a workflow as a whole; to sign only where nothing of the build runs, to write only where it publishes."""
    for name, workflow in workflows.items():
        assert workflow["permissions"] == {}, name
        for job, about in workflow["jobs"].items():
            allowed = WRITES.get(job, set()) if name == "release.yml" else set()
            writes = {scope for scope, right in about["permissions"].items() if right != "read"}
            assert writes == allowed, f"{name}: {job} may write {writes}"
            for step in about["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False, f"{name}: {job} keeps the token"


def runs(job):
    return " ".join(step.get("run", step.get("uses", "")) for step in job["steps"])


def demands_every_check(name, job):
    """The tools that check the crates are installed and demanded: elsewhere .ci/run passes over what is absent."""
    text = runs(job)
    assert 0 <= text.find("bash .ci/tools") < text.find("bash .ci/run"), f"{name}: .ci/tools has to come before .ci/run"
    (step,) = [step for step in job["steps"] if step.get("run") == "bash .ci/run"]
    assert step["env"] == {"REQUIRE_DEPENDENCY_CHECKS": 1}, f"{name}: {step}"


def signing(job):
    """The job that signs: the artifact and its sums, and no sources, hence nothing of the build and nobody else's code."""
    assert [step["uses"].split("@")[0] if "uses" in step else step["run"] for step in job["steps"]] == [
        "actions/download-artifact", SUMS, "actions/attest", "actions/attest",
    ], "attest does something else"  # fmt: skip
    download, sums, built, inside = job["steps"]
    assert download["with"]["path"] == sums["working-directory"] == "target/package", "other sums than those of the artifact"
    assert built["with"] == {"subject-path": "target/package/released-package.zip\ntarget/package/handler\n"}, built
    package, bill = "target/package/released-package.zip", "target/package/duo-sentinel.cdx.json"
    assert inside["with"] == {"subject-path": package, "sbom-path": bill}, inside


def order(release):
    """Nothing is packaged that was not tested, which includes packaging it twice, and nothing published that was not attested."""
    jobs = release["jobs"]
    needs = {"version": None, "test": "version", "package": "test", "attest": "package", "publish": "attest"}
    assert {name: job.get("needs") for name, job in jobs.items()} == needs
    assert all("if" not in job and "continue-on-error" not in job for job in jobs.values())
    assert all("if" not in step and "continue-on-error" not in step for job in jobs.values() for step in job["steps"])
    for name, parts in {
        "version": ["package/version.py"],
        "test": [".ci/rust", ".ci/tools", ".ci/run"],
        "package": [".ci/rust", "package/build", "actions/upload-artifact@"],
        "publish": ["actions/download-artifact@", "package/publish", "package/release"],
    }.items():
        at, text = 0, runs(jobs[name])
        for part in parts:
            assert part in text[at:], f"{name}: {part} is missing or comes too early"
            at = text.index(part, at) + len(part)
    assert "tests/reproducible" not in runs(jobs["package"]), "built twice in the job test already"
    assert "\ntests/reproducible\n" in pathlib.Path(".ci/run").read_text(encoding="utf-8"), "nothing is built twice"
    signing(jobs["attest"])
    (checkout,) = [step for step in jobs["publish"]["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert checkout["with"]["fetch-depth"] == 0, "the notes cannot be compared with the tag before"
    assert release[True] == {"push": {"tags": ["v*"]}} and release["concurrency"]["cancel-in-progress"] is False


def check(texts):
    workflows = {name: yaml.safe_load(text) for name, text in texts.items()}
    assert set(workflows) == {"ci.yml", "release.yml"}
    every_use_is_pinned(texts)
    what_is_called_exists(workflows)
    rights(workflows)
    order(workflows["release.yml"])
    for name, workflow in workflows.items():
        demands_every_check(name, workflow["jobs"]["test"])
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
    # The builder may sign.
    ("release.yml", r"(  package:\n(?:    .*\n)*?      contents: read.*\n)", r"\1      id-token: write\n"),
    ("release.yml", "run: bash package/build", "run: bash tests/reproducible && bash package/build"),
    ("release.yml", "needs: attest", "needs: package"),
    ("release.yml", "run: sha256sum --check --strict SHA256SUMS", "run: sha256sum --check --strict SHA256SUMS && ./handler"),
    ("release.yml", "run: sha256sum --check --strict SHA256SUMS", "run: ls"),
    ("release.yml", "working-directory: target/package", "working-directory: /"),
    ("release.yml", r"            target/package/handler\n( *- name)", r"\1"),
    ("release.yml", r"sbom-path: .*", "sbom-path: target/package/other.json"),
    ("release.yml", "fetch-depth: 0", "fetch-depth: 1"),
    ("release.yml", "bash .ci/tools", "echo"),
    ("ci.yml", "bash .ci/tools", "echo"),
    ("ci.yml", "REQUIRE_DEPENDENCY_CHECKS: 1", "REQUIRE_DEPENDENCY_CHECKS: 0"),
    ("release.yml", "REQUIRE_DEPENDENCY_CHECKS: 1", "REQUIRE: 1"),
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
