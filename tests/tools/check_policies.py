"""Holds what the templates deploy against checkov's policies for Azure.

checkov knows no expressions: of a resource whose name is one it says nothing, and that looks like a pass. So it gets the
templates evaluated. What it finds has to be waived in policy-waivers.yaml, with a reason; a waiver without a finding is an
error too. Then it gets mistakes, to see that it looks at our resources at all.

Run in the folder of the repository: .tools/lint/bin/python tests/tools/check_policies.py
"""

import collections
import copy
import fnmatch
import json
import pathlib
import subprocess
import sys
import tempfile

import yaml

from deployment import rendered

WAIVERS = pathlib.Path(__file__).parent / "policy-waivers.yaml"
# The policy that has to find it, the type, and what is done to its properties.
MISTAKES = {
    "an old TLS for storage": ("CKV_AZURE_44", "Microsoft.Storage/storageAccounts", {"minimumTlsVersion": "TLS1_0"}),
    "a public container": ("CKV_AZURE_34", "Microsoft.Storage/storageAccounts/blobServices/containers", {"publicAccess": "Blob"}),
    "storage without TLS": ("CKV_AZURE_3", "Microsoft.Storage/storageAccounts", {"supportsHttpsTrafficOnly": False}),
    "an app without TLS": ("CKV_AZURE_70", "Microsoft.Web/sites", {"httpsOnly": False}),
}


def findings(folder):
    """(file, policy, type, name) of each finding."""
    command = [str(pathlib.Path(sys.executable).parent / "checkov"), "--directory", str(folder), "--framework", "arm"]
    command += ["--output", "json", "--compact", "--quiet", "--skip-download", "--skip-results-upload"]
    result = subprocess.run(command, capture_output=True, text=True)
    # 1: there are findings. The JSON alone would not tell that checkov stopped half-way.
    assert result.returncode in (0, 1), result.stderr
    report = json.loads(result.stdout)
    assert "results" in report, f"checkov looked at nothing: {report}"
    assert report["summary"]["parsing_errors"] == 0, "checkov cannot read a rendered template"
    found = []
    for each in report["results"]["failed_checks"]:
        kind, _, name = each["resource"].rpartition(".")
        found.append((pathlib.Path(each["file_path"]).stem, each["check_id"], kind, name, each["check_name"]))
    return found


def waived(waiver, finding):
    file, policy, kind, name, _ = finding
    return waiver["policy"] == policy and waiver["type"] == kind and fnmatch.fnmatch(file, waiver.get("where", "*"))


def left_over(found, waivers):
    return [finding for finding in found if not any(waived(waiver, finding) for waiver in waivers)]


def idle(found, waivers):
    """Waivers, each with a rendered template that they name and that has no such finding."""
    for waiver in waivers:
        for name in rendered.RENDERED:
            if fnmatch.fnmatch(name, waiver.get("where", "*")):
                if not any(waived(waiver, finding) for finding in found if finding[0] == name):
                    yield waiver, name


def mistakes(found, waivers):
    """Each mistake in a file of its own, all in one run of checkov."""
    with tempfile.TemporaryDirectory() as folder:
        for number, (policy, kind, change) in enumerate(MISTAKES.values()):
            wrong = copy.deepcopy(rendered.resources("flex-data-collector"))
            next(each for each in wrong if each["type"] == kind)["properties"].update(change)
            rendered.write(folder, f"flex-data-collector-{number}", wrong)
        after = findings(folder)
    for number, (name, (policy, kind, _)) in enumerate(MISTAKES.items()):
        new = left_over([each for each in after if each[0] == f"flex-data-collector-{number}"], waivers)
        assert {each[1:3] for each in new} >= {(policy, kind)}, f"not noticed: {name}: {new}"
        assert (policy, kind) not in {each[1:3] for each in found}, f"{name}: found in the templates too"


def main():
    waivers = yaml.safe_load(WAIVERS.read_text(encoding="utf-8"))
    assert all(set(waiver) <= {"policy", "type", "where", "reason"} and waiver["reason"].strip() for waiver in waivers), "a waiver lacks its reason"
    with tempfile.TemporaryDirectory() as folder:
        for name in rendered.RENDERED:
            rendered.write(folder, name, rendered.resources(name))
        found = findings(folder)
    left, unused = left_over(found, waivers), list(idle(found, waivers))
    for file, policy, kind, name, text in left:
        print(f"{file}: {policy} {kind} {name}: {text}", file=sys.stderr)
    for waiver, name in unused:
        print(f"{name}: waived, but not found: {waiver['policy']} {waiver['type']}", file=sys.stderr)
    if left or unused:
        sys.exit(1)
    mistakes(found, waivers)
    print(f"{len(rendered.RENDERED)} rendered templates: nothing but {len(waivers)} waived findings; {len(MISTAKES)} mistakes are noticed")


main()
