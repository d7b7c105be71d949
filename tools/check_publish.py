"""Publishes releases to a repository in a temporary folder and checks the result.

Run in the folder of the repository: python3 tools/check_publish.py
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OWNER = "some-owner/some.repository"
RAW = f"https://raw.githubusercontent.com/{OWNER}"
SOURCES = ["Cargo.toml", "azuredeploy.json", "createUiDefinition.json", "package", "sentinel/schema.json"]
FILES = ["THIRD-PARTY-LICENSES.txt", "duo-sentinel.cdx.json", "released-package.zip", "handler"]
IDENTITY = {f"GIT_{who}_{what}": f"{who}@example.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
ENVIRONMENT = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def run(*command, cwd):
    return subprocess.run(list(map(str, command)), cwd=cwd, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout.strip()


def sources_of(folder, version):
    cargo = folder / "Cargo.toml"
    cargo.write_text(re.sub(r'(\[package\]\nname = .*\nversion = )".*"', rf'\1"{version}"', cargo.read_text()))
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message", version, cwd=folder)
    run("git", "tag", f"v{version}", cwd=folder)


def package_of(folder, content):
    for name in FILES:
        (folder / name).write_bytes(content + name.encode() + b"\r\n")
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in FILES]
    (folder / "SHA256SUMS").write_text("".join(sums))


def publish(folder, tag, refused=None):
    options = {"tag": tag, "repository": OWNER, "remote": folder / "public.git", "package": folder / "package", "out": folder / "out"}
    command = [folder / "sources/package/publish", *(word for name, value in options.items() for word in (f"--{name}", str(value)))]
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert result.returncode == (2 if refused else 0) and (refused or "") in result.stderr, result.stderr
    return run("git", "for-each-ref", cwd=folder / "public.git").split()[0] if not refused or (folder / "out").exists() else None


def check(folder, templates):
    """The package in its commit, then template and form with the address of that package."""
    public, out = folder / "public.git", folder / "out"
    package = run("git", "rev-parse", f"{templates}^", cwd=public)
    at = lambda commit, name: subprocess.run(["git", "show", f"{commit}:{name}"], cwd=public, check=True, capture_output=True).stdout
    published = ["SHA256SUMS", *FILES[:-1]]
    assert run("git", "ls-tree", "--name-only", package, cwd=public).splitlines() == published
    for name in published:
        assert at(package, name) == at(templates, name) == (folder / "package" / name).read_bytes(), name
    uri = f"{RAW}/{package}/released-package.zip"
    template, form = (json.loads(at(templates, name)) for name in ("azuredeploy.json", "createUiDefinition.json"))
    assert template["parameters"]["PackageUri"].pop("defaultValue") == uri == (out / "package-uri").read_text().strip()
    assert template == json.loads((ROOT / "azuredeploy.json").read_text()), "more than the address differs"
    (advanced,) = [step for step in form["parameters"]["steps"] if step["name"] == "advanced"]
    assert [each["defaultValue"] for each in advanced["elements"] if each["name"] == "packageUri"] == [uri]
    links = [each["options"]["uri"] for step in [{"elements": form["parameters"]["basics"]}, *form["parameters"]["steps"]] for each in step["elements"] if "uri" in each.get("options", {})]
    assert len(links) == 2 and all(link.startswith(f"https://github.com/{OWNER}/blob/HEAD/docs/") for link in links), links
    notes = (out / "release-notes.md").read_text()
    assert notes.count(f"{RAW}/{templates}".replace(":", "%3A").replace("/", "%2F")) == 6, "three buttons, template and form each"
    for name in FILES:
        assert hashlib.sha256((folder / "package" / name).read_bytes()).hexdigest() in notes, name
    return notes


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sources, package = folder / "sources", folder / "package"
        for each in SOURCES:
            (sources / each).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / each).is_dir() else shutil.copy)(ROOT / each, sources / each)
        package.mkdir()
        run("git", "init", "--quiet", "--bare", "public.git", cwd=folder)
        run("git", "init", "--quiet", sources, cwd=folder)

        sources_of(sources, "1.0.0")
        package_of(package, b"first")
        first = publish(folder, "v1.0.0")
        assert "New columns" not in check(folder, first), "the first release has no previous one"
        assert publish(folder, "v1.0.0") == first, "published twice"

        # A pre-release with one more column: the notes of the final release must list it too.
        schema = sources / "sentinel/schema.json"
        tables = json.loads(schema.read_text())
        tables["tables"]["CiscoDuo_CL"]["tried_s"] = "string"
        schema.write_text(json.dumps(tables))
        sources_of(sources, "1.1.0-rc.1")
        sources_of(sources, "1.1.0")
        package_of(package, b"second")
        second = publish(folder, "v1.1.0")
        assert "**New columns since v1.0.0**: `CiscoDuo_CL.tried_s string`." in check(folder, second)
        assert run("git", "rev-parse", f"{second}~2", cwd=folder / "public.git") == first, "the history was rewritten"

        publish(folder, "v1.0.0", "tag v1.0.0 for version 1.1.0")
        package_of(package, b"other")
        publish(folder, "v1.1.0", "with other files")
        (package / "handler").write_bytes(b"not what was summed")
        publish(folder, "v1.1.0", "handler does not match SHA256SUMS")
        (sources / "azuredeploy.json").write_text("{}")
        publish(folder, "v1.1.0", "not those of tag v1.1.0")
        assert run("git", "rev-parse", "refs/heads/releases", cwd=folder / "public.git") == second
    print("two releases: each template has the address of its package; other versions, sources and packages are refused")


main()
