"""The copies of templates and forms that a release publishes: what differs from the sources is the package, nothing else."""

import difflib
import itertools
import pathlib
import subprocess
import sys
import tempfile

from deployment import form, values
from deployment.options import CLOUDS, SECRETS, WORKSPACE_ID, json_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OF_OWNER = "https://raw.githubusercontent.com/some-owner/some.repository"
URI = f"{OF_OWNER}/{COMMIT}/released-package.zip"
# What has to be refused, and a part of the reason that has to be given.
WRONG = {
    "": "https://",
    f"http://raw.githubusercontent.com/some-owner/some.repository/{COMMIT}/released-package.zip": "https://",
    f"{OF_OWNER}/main/released-package.zip": "no full commit id",
    f"{OF_OWNER}/v1.0.0/released-package.zip": "no full commit id",
    f"{OF_OWNER}/{COMMIT[:12]}/released-package.zip": "no full commit id",
    f"{OF_OWNER}/{COMMIT.upper()}/released-package.zip": "no full commit id",
    f"{OF_OWNER}/{COMMIT}0/released-package.zip": "no full commit id",
    f"{OF_OWNER}/{COMMIT}/package.zip": "released-package.zip",
    f"{OF_OWNER}/{COMMIT}/folder/released-package.zip": "has to be",
    f"{OF_OWNER}/refs/heads/main/released-package.zip": "has to be",
    f"https://raw.githubusercontent.com/some-owner/../{COMMIT}/released-package.zip": "has to be",
    f"{URI}?token=1": "has to be",
    f"{URI}\n": "has to be",
    f" {URI}": "https://",
    f"https://raw.githubusercontent.com@example.invalid/some-owner/some.repository/{COMMIT}/released-package.zip": "has to be",
    f"https://github.com/some-owner/some.repository/raw/{COMMIT}/released-package.zip": "has to be",
    "https://github.com/some-owner/some.repository/releases/download/v1.0.0/released-package.zip": "has to be",
    "https://github.com/some-owner/some.repository/releases/latest/download/released-package.zip": "has to be",
}
# What Microsoft's page asks for, in its order, and nothing else.
NAMED = {
    "FunctionName": "CiscoDuo",
    "CiscoDuoIntegrationKey": SECRETS["CiscoDuoIntegrationKey"],
    "CiscoDuoSecretKey": SECRETS["CiscoDuoSecretKey"],
    "CiscoDuoApiHostname": "api-00000000.duosecurity.com",
    "CiscoDuoLogTypes": "authentication,administrator,telephony,offline_enrollment,trust_monitor,activity",
    "MicrosoftSentinelWorkspaceId": WORKSPACE_ID,
    "MicrosoftSentinelSharedKey": SECRETS["MicrosoftSentinelSharedKey"],
}


def pin(uri, out):
    command = [sys.executable, "package/pin.py", "--package-uri", uri, "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True)


def only_the_package_differs(source, copy, uri):
    before, after = (file.read_text(encoding="utf-8").splitlines() for file in (source, copy))
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    added = [line for line in changed if line[0] == "+"]
    assert len(added) == 1 and uri in added[0] and len(changed) <= 2, f"{copy.name}: {changed}"


def check(folder, uri, templates_and_forms):
    """The copies in a folder deploy the package at `uri` when nothing is said of it."""
    folder = pathlib.Path(folder)
    names = set(itertools.chain(*templates_and_forms.items()))
    for name in names:
        only_the_package_differs(pathlib.Path(name), folder / name, uri)
    for of, file in templates_and_forms.items():
        template = json_of(folder / of)
        assert template["parameters"]["PackageUri"]["defaultValue"] == uri
        for cloud in CLOUDS:
            values.check(template, NAMED, cloud)
        form.form(folder / file, template, uri)


def refused():
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "copies"
        for uri, why in WRONG.items():
            result = pin(uri, out)
            assert result.returncode == 2 and why in result.stderr, f"{uri!r}: {result.returncode} {result.stderr}"
            assert not out.exists(), f"{uri!r}: something was written"
        into_sources = pin(URI, ".")
        assert into_sources.returncode == 2 and "sources" in into_sources.stderr, into_sources.stderr
    return len(WRONG) + 1


def made(templates_and_forms):
    with tempfile.TemporaryDirectory() as folder:
        result = pin(URI, folder)
        assert result.returncode == 0, result.stderr
        check(folder, URI, templates_and_forms)
        # A copy with another package is noticed.
        try:
            check(folder, URI.replace(COMMIT, COMMIT[::-1]), templates_and_forms)
        except AssertionError:
            return
        raise AssertionError("not noticed: the package of another commit")
