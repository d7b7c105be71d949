"""Plays the scripts of the build with stubs for what they call: what they demand, what they say, and that they go on.

Run in the folder of the repository: python3 tests/tools/check_scripts.py
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RELEASED = (ROOT / "package/rust-version").read_text(encoding="utf-8").strip()
# Every stub writes down its arguments. Those of the build are in the folder of its tools, which `python3 -m venv` makes.
STUBS = {
    "python3": 'case $* in "-m venv "*) mkdir -p "$3/bin"; cp "$STUBS/tool" "$3/bin/pip"; cp "$STUBS/tool" "$3/bin/python" ;; *) echo "$PWD/target" ;; esac',
    "rustc": 'case $1 in --version) echo "rustc $STUB_RUST (0 2000-01-01)" ;; *) echo "$PWD" ;; esac',
    "cargo": 'case $1 in zigbuild) mkdir -p target/x86_64-unknown-linux-gnu/release; echo program >target/x86_64-unknown-linux-gnu/release/duo-sentinel ;; tree) case $* in *--invert*) exit 1 ;; esac ;; esac',
    "rustup": "",
    "tool": 'case $1 in package/archive.py) echo zip >"$2/released-package.zip" ;; package/inventory.py) echo "{}" >"$3/duo-sentinel.cdx.json"; echo >"$3/THIRD-PARTY-LICENSES.txt" ;; esac',
}


class Play:
    """A copy of the scripts, the stubs, and nothing else that the machine's user has installed."""

    def __init__(self, folder):
        self.sources, self.stubs, self.log = folder / "sources", folder / "stubs", folder / "log"
        shutil.copytree(ROOT / "package", self.sources / "package", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / ".ci", self.sources / ".ci")
        self.stubs.mkdir()
        for name, does in STUBS.items():
            self.stub(name, does)

    def stub(self, name, does=""):
        (self.stubs / name).write_text(f'#!/bin/sh\necho "$(basename "$0") $*" >>"$STUB_LOG"\n{does}\n')
        (self.stubs / name).chmod(0o755)

    def run(self, script, code=0, rust=RELEASED, **more):
        """What was called, and what was told on either stream."""
        self.log.write_text("")
        environment = {"HOME": str(self.sources), "PATH": f"{self.stubs}:/usr/bin:/bin", "STUBS": str(self.stubs), "STUB_LOG": str(self.log)}
        result = subprocess.run(
            ["bash", script], cwd=self.sources, env={**environment, "STUB_RUST": rust, **more}, capture_output=True, text=True
        )
        assert result.returncode == code, f"{script}: {result.returncode}\n{result.stdout}{result.stderr}"
        return self.log.read_text().splitlines(), result.stdout, result.stderr


def build(play):
    """The tools are those of the lock; another Rust is told in one line, and the package is built with it all the same."""
    called, sums, told = play.run("package/build")
    assert "pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement package/requirements.txt" in called, called
    assert len(sums.splitlines()) == 4 and told == "", told
    called, sums, told = play.run("package/build", rust="1.0.7")
    assert not any(line.startswith("pip") for line in called), "tools that are there were installed again"
    assert len(sums.splitlines()) == 4, sums
    assert told == f"built with Rust 1.0.7; releases are built with {RELEASED}: the bytes will differ\n", told
    with open(play.sources / "package/requirements.txt", "a", encoding="utf-8") as lock:
        lock.write("# another\n")
    assert any(line.startswith("pip") for line in play.run("package/build")[0]), "another lock installed nothing"


def rust(play):
    """The workflows install the Rust that releases are built with."""
    called, _, _ = play.run(".ci/rust")
    assert [line.split()[:4] for line in called] == [["rustup", "toolchain", "install", RELEASED], ["rustup", "default", RELEASED]], called
    assert not list(ROOT.glob("rust-toolchain*")), "rustup would fetch it on every machine"


def dependencies(play):
    """Absent tools are passed over and named, unless they are demanded; those that are there are run."""
    demanded = {"REQUIRE_DEPENDENCY_CHECKS": "1"}
    _, told, _ = play.run(".ci/dependencies", CI="true")
    assert told.count("skipped: ") == 2 and "cargo-deny" in told and "cargo-audit" in told, told
    assert "cargo-deny is not installed" in play.run(".ci/dependencies", code=1, **demanded)[2]
    play.stub("cargo-deny")
    assert "cargo-audit is not installed" in play.run(".ci/dependencies", code=1, **demanded)[2]
    play.stub("cargo-audit")
    called, told, _ = play.run(".ci/dependencies", **demanded)
    assert called[-2:] == ["cargo deny --config .cargo/deny.toml check bans licenses sources", "cargo audit"] and told == "", called
    # What a tool finds is a failure.
    for found in ("deny", "audit"):
        play.stub("cargo", f"[ $1 != {found} ] || exit 3\n" + STUBS["cargo"])
        play.run(".ci/dependencies", code=3)
    # Each version is exact, so that nobody's newest version decides.
    (line,) = play.run(".ci/tools")[0]
    assert line.startswith("cargo install --locked ") and all(word.count("@") == 1 for word in line.split()[3:]), line
    assert "\n.ci/dependencies\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def main():
    for part in (build, rust, dependencies):
        # With nobody's settings, and no tools of cargo that this machine happens to have.
        with tempfile.TemporaryDirectory() as name:
            part(Play(pathlib.Path(name)))
    assert os.access(ROOT / ".ci/dependencies", os.X_OK) and os.access(ROOT / ".ci/tools", os.X_OK)
    print("scripts of the build: what is locked is installed, another Rust is told, absent checks fail where they are demanded")


main()
