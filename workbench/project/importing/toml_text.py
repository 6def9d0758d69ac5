"""Imported settings as text of a project.toml."""

import tomli_w

from workbench.project.importing.translate import Imported


def as_toml(imported: Imported) -> str:
    """The settings as lines of project.toml, each with what it comes from."""
    lines = [f"# Read as settings of {imported.tool}."]
    table = ""
    for setting in imported.telling:
        section, name = setting.key.split(".")
        if section != table:
            lines += ["", f"[{section}]"]
            table = section
        value = setting.value
        if isinstance(value, list):
            line = f"{name} = [{', '.join(map(_toml, value))}]"
        else:
            line = f"{name} = {_toml(value)}"
        source = ", ".join(each.name for each in setting.of) or f"{imported.tool}'s default"
        lines.append(f"{line:<35} # {_one_line(source)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    return tomli_w.dumps({"v": value}).removeprefix("v = ").rstrip("\n")


def _one_line(text: str) -> str:
    """A comment must not hold control codes."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:200]
