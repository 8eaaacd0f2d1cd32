"""The documentation names what is there, and its examples run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from reprieve.__main__ import cli
from reprieve.web.secrets import NAMES

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "GLOSSARY.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(group: click.Group, before: str = "reprieve") -> set[str]:
    """Every command with its words, such as ``reprieve keys rotate``."""
    found = set()
    for name, command in group.commands.items():
        words = f"{before} {name}"
        found |= commands(command, words) if isinstance(command, click.Group) else {words}
    return found


def test_the_reference_lists_every_command():
    text = (ROOT / "docs/reference/commands.md").read_text()

    listed = {re.sub(r" [A-Z-]+", "", words) for words in re.findall(r"^\| `(reprieve [^`]+)`", text, re.MULTILINE)}

    assert listed == commands(cli)


def test_the_reference_lists_every_setting():
    text = (ROOT / "docs/reference/settings.md").read_text()
    source = "".join((ROOT / "src/reprieve/web" / name).read_text() for name in ("settings.py", "secrets.py"))

    used = set(re.findall(r'setting\(os\.environ, "(\w+)"', source)) | set(NAMES)

    assert used == set(re.findall(r"`((?:REPRIEVE_|DATABASE_)\w+|HOST|PORT)`", text.split("Fresh secrets")[0]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", prose) + re.findall(r'<img src="([^"]+)"', prose)

    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_in_the_text_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"`(?:[A-Z_]+=\S+ )*make ([a-z-]+)`", page.read_text())) <= targets


def examples() -> list[str]:
    """Command lines of the tutorial on files."""
    text = (ROOT / "docs/tutorials/screen-files.md").read_text()
    return re.findall(r"^\$ (.+)$", text, re.MULTILINE)


@pytest.mark.parametrize("line", examples())
def test_examples_on_files_run(line):
    said, _, command = line.partition(" | ")
    answers = shlex.split(said)[1]

    ended = subprocess.run(
        shlex.split(command), input=answers, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("{")
