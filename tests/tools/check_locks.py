"""The Python packages of the build and of the tests are locked with their hashes, and what asks for newer ones knows the locks.

Run in the folder of the repository: .tools/lint/bin/python tests/tools/check_locks.py
"""

import json
import pathlib
import re

import yaml

NAMES = ("package/requirements", "tests/tools/requirements", "tests/tools/requirements-lint")
ENTRY = re.compile(r"([A-Za-z0-9._-]+)==([^ ]+)(?: ; .+?)?((?: --hash=sha256:[0-9a-f]{64})+)")
PINNED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[a-z-]+])?==([0-9][0-9a-z.]*)")
DEPENDABOT = ".github/dependabot.yml"
GUIDE, TASKS = "docs/deploy.md", ".vscode/tasks.json"
COMMAND = "uv pip compile --universal --generate-hashes --python-version 3.11 --no-build --output-file {0}.txt {0}.in"


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name, text):
    """Name and versions of what a lock installs; a package has two versions where Pythons differ."""
    head, *rest = text.split("\n", 2)[1:]
    # The services that renew a lock read from its head how.
    assert head == f"#    {COMMAND.format(pathlib.Path(name).name)}", f"{name}.txt: made by another command: {head}"
    found = {}
    for line in rest[0].replace(" \\\n    ", " ").splitlines():
        if not line.lstrip().startswith("#"):
            match = ENTRY.fullmatch(line)
            assert match, f"{name}.txt: no version, or no hashes: {line}"
            found.setdefault(normal(match[1]), set()).add(match[2])
    return found


def wanted(name, text):
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    for line in lines:
        match = PINNED.fullmatch(line)
        assert match, f"{name}.in: not one version: {line}"
        yield normal(match[1]), match[2]


def check(texts):
    for name in NAMES:
        lock = locked(name, texts[f"{name}.txt"])
        for package, version in wanted(name, texts[f"{name}.in"]):
            assert lock.get(package) == {version}, f"{name}: {package} {version} is wanted, {lock.get(package)} is locked"
    folders = {f"/{pathlib.Path(name).parent.as_posix()}" for name in NAMES}
    updates = {each["package-ecosystem"]: each for each in yaml.safe_load(texts[DEPENDABOT])["updates"]}
    # As `pip` these locks would be made by another program, for one kind of machine.
    assert "pip" not in updates and set(updates["uv"]["directories"]) == folders, f"{DEPENDABOT}: {sorted(updates)}"
    installed = re.findall(r"pip install [^`)\"]*", texts[GUIDE] + texts[TASKS])
    assert len(installed) == 3 and set(installed) == {"pip install -r package/requirements.txt"}, f"not locked: {installed}"
    (task,) = [each for each in json.loads(texts[TASKS])["tasks"] if each["label"] == "build handler"]
    typed = [part for part in task["windows"]["command"].split("; ") if not part.startswith("if ")]
    assert "```powershell\n{}\n{}\n```".format(*typed) in texts[GUIDE], f"{GUIDE}: another build on Windows than {typed}"


# Mistakes that must be noticed: the file, what stands there, what is put in its place.
MISTAKES = [
    ("package/requirements.txt", r"(ziglang==\S+ \\\n)(?:    --hash=\S+(?: \\)?\n)+", r"\1"),
    ("package/requirements.txt", r"sha256:[0-9a-f]{64}", "sha256:0"),
    ("package/requirements.txt", r"arrow==", "arrow>="),
    ("package/requirements.txt", r"cargo-zigbuild==\S+", "cargo-zigbuild==0.0.1"),
    ("package/requirements.txt", "--universal ", ""),
    ("package/requirements.txt", r"\narrow==", "\nhttps://example.invalid/arrow.whl\narrow=="),
    ("package/requirements.in", r"ziglang==\S+", "ziglang==0.0.1"),
    ("package/requirements.in", r"ziglang==\S+", "ziglang"),
    ("package/requirements.in", r"\Z", "another-tool==1.0\n"),
    ("tests/tools/requirements-lint.in", r"zizmor==\S+", "zizmor==0.0.1"),
    (DEPENDABOT, "package-ecosystem: uv", "package-ecosystem: pip"),
    (DEPENDABOT, r"\[/package, ", "["),
    (GUIDE, "pip install -r package/requirements.txt", "pip install ziglang cargo-zigbuild"),
    (GUIDE, "\ncargo zigbuild --release", "\ncargo zigbuild"),
    (TASKS, r"-gnu\.2\.17", "-gnu.2.28"),
]


def main():
    names = [f"{name}.{kind}" for name in NAMES for kind in ("in", "txt")]
    texts = {name: pathlib.Path(name).read_text(encoding="utf-8") for name in [*names, DEPENDABOT, GUIDE, TASKS]}
    check(texts)
    for file, stands, instead in MISTAKES:
        wrong, count = re.subn(stands, instead, texts[file], count=1)
        assert count, f"{file}: {stands!r} does not stand there any more"
        try:
            check({**texts, file: wrong})
        except AssertionError:
            continue
        raise AssertionError(f"{file}: not noticed: {instead!r} for {stands!r}")
    print(f"{len(NAMES)} locks: every package with its hashes; {len(MISTAKES)} mistakes are noticed")


main()
