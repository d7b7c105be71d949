"""What tests/publishing plays releases on: sources, a repository and a package in a temporary folder."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OWNER = "some-owner/some.repository"
RAW = f"https://raw.githubusercontent.com/{OWNER}"
TEMPLATES = ["azuredeploy-dedicated.json", "azuredeploy.json", "createUiDefinition-dedicated.json", "createUiDefinition.json"]
PUBLISHED = ["SHA256SUMS", "THIRD-PARTY-LICENSES.txt", "duo-sentinel.cdx.json", "released-package.zip"]
IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.invalid", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.invalid"}
# No settings of the machine's user or system.
ENVIRONMENT = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def run(*command, cwd, fails=False, **more):
    environment = {**ENVIRONMENT, **more}
    result = subprocess.run(list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True)
    told = f"{command}: {result.returncode}\n{result.stdout}{result.stderr}"
    assert (result.returncode != 0) is fails, told
    return (result.stdout + result.stderr).strip()


class Play:
    """Sources, a bare repository that stands for the public one, and a package, in one folder."""

    def __init__(self, folder):
        self.sources, self.public, self.package = folder / "sources", folder / "public.git", folder / "package"
        self.out = folder / "out"
        self.sources.mkdir()
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", self.public, cwd=folder)
        run("git", "init", "--quiet", "--initial-branch=main", cwd=self.sources)
        for each in ["Cargo.toml", ".gitignore", "package", "tests/tools", "sentinel", "src/settings/catalog.rs", *TEMPLATES]:
            of, to = ROOT / each, self.sources / each
            to.parent.mkdir(parents=True, exist_ok=True)
            if of.is_dir():
                shutil.copytree(of, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(of, to)

    def git(self, *command):
        return run("git", *command, cwd=self.public)

    def sources_of(self, version):
        cargo = self.sources / "Cargo.toml"
        before = cargo.read_text(encoding="utf-8").split("[package]")
        rest = before[1].split("\n", 3)
        cargo.write_text("[package]".join([before[0], "\n".join([rest[0], rest[1], f'version = "{version}"', rest[3]])]), encoding="utf-8")
        run("git", "add", "--all", cwd=self.sources)
        run("git", "commit", "--quiet", "--message", version, cwd=self.sources)
        run("git", "tag", f"v{version}", cwd=self.sources)

    def column(self, name):
        """The schema with one more column."""
        file = self.sources / "sentinel/schema.json"
        schema = json.loads(file.read_text(encoding="utf-8"))
        schema["tables"]["CiscoDuo_CL"][name] = "string"
        file.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")

    def package_of(self, content):
        shutil.rmtree(self.package, ignore_errors=True)
        self.package.mkdir()
        (self.package / "handler").write_bytes(content)
        with zipfile.ZipFile(self.package / "released-package.zip", "w") as archive:
            archive.writestr("handler", content)
        (self.package / "duo-sentinel.cdx.json").write_text('{"bomFormat": "CycloneDX"}')
        (self.package / "THIRD-PARTY-LICENSES.txt").write_text("licences\r\n")
        self.sum()

    def sum(self):
        names = ["released-package.zip", "duo-sentinel.cdx.json", "THIRD-PARTY-LICENSES.txt", "handler"]
        lines = [f"{hashlib.sha256((self.package / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
        (self.package / "SHA256SUMS").write_text("".join(lines))

    def publish(self, tag, fails=False, sources=None, **environment):
        arguments = {"tag": tag, "repository": OWNER, "remote": self.public, "package": self.package, "out": self.out}
        words = [word for name, value in arguments.items() for word in (f"--{name}", value)]
        return run("bash", "package/publish", *words, cwd=sources or self.sources, fails=fails, **environment)

    def refused(self, tag, why, sources=None):
        before = self.git("for-each-ref")
        told = self.publish(tag, fails=True, sources=sources)
        assert why in told, told
        assert self.git("for-each-ref") == before, "something was published"

    def head(self):
        return self.git("rev-parse", "refs/heads/releases")

    def bytes_at(self, commit, name):
        return subprocess.run(["git", "cat-file", "blob", f"{commit}:{name}"], cwd=self.public, check=True, capture_output=True).stdout
