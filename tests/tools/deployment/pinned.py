"""The copies of templates and forms that a release publishes: what differs from the sources is the package and links to guides."""

import difflib
import itertools
import pathlib
import re
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


# The guide that each of these boxes of a form leads to, in the repository that the package's address names.
GUIDES = {
    "again": "docs/deploy.md#update-roll-back-uninstall",
    "migrate": "docs/migrate.md#2-from-the-data-collector-api-to-the-logs-ingestion-api",
}


def only_what_must_differs(source, copy, uri, links):
    """A line with the package, which may have stood there without it, and a new line for each link."""
    before, after = (file.read_text(encoding="utf-8").splitlines() for file in (source, copy))
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    added = [line for line in changed if line[0] == "+"]
    assert len(added) == 1 + len(links) and len(changed) <= 2 + len(links), f"{copy.name}: {changed}"
    for told in (uri, *links):
        assert len([line for line in added if f'"{told}"' in line]) == 1, f"{copy.name}: {told} in {added}"


def links_of(form):
    parameters = form["parameters"]
    elements = [*parameters["basics"], *itertools.chain(*(step["elements"] for step in parameters["steps"]))]
    return {each["name"]: each["options"]["uri"] for each in elements if "uri" in each.get("options", {})}


def slug(heading):
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def guides():
    """Each place that a box leads to is a heading of a guide."""
    for guide in GUIDES.values():
        file, _, place = guide.partition("#")
        headings = re.findall(r"^#+ (.+)$", pathlib.Path(file).read_text(encoding="utf-8"), re.MULTILINE)
        assert place in map(slug, headings), f"{file} has no heading for {place}"


def check(folder, uri, templates_and_forms):
    """The copies in a folder deploy the package at `uri` when nothing is said of it."""
    folder = pathlib.Path(folder)
    repository = "/".join(uri.split("/")[3:5])
    links = {name: f"https://github.com/{repository}/blob/HEAD/{guide}" for name, guide in GUIDES.items()}
    for of, file in templates_and_forms.items():
        assert links_of(json_of(folder / file)) == links, f"{file}: {links_of(json_of(folder / file))}"
        only_what_must_differs(pathlib.Path(of), folder / of, uri, [])
        only_what_must_differs(pathlib.Path(file), folder / file, uri, links.values())
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
    guides()
    for name in templates_and_forms.values():
        assert not links_of(json_of(name)), f"{name} has a link"
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
