"""A foreign configuration as settings of project.toml, with a word on everything that it says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.base_model import reads_as_hub_id
from workbench.project.checking import faults
from workbench.project.complaints import key_text, nearest, shown
from workbench.project.fields import usual
from workbench.project.importing.command_line import CommandLine, looks_like_one, read_script, read_words
from workbench.project.importing.given import LONGEST, Given
from workbench.project.importing.names import NOT_HERE
from workbench.project.importing.python_code import read_python
from workbench.project.importing.reading import Reading, Setting
from workbench.project.importing.rules import RULES
from workbench.project.importing.tools import KNOWN, TOOLS, told_by
from workbench.project.importing.yaml_file import read_yaml
from workbench.project.layers import Tree, key_path, with_value
from workbench.project.preset import NONE
from workbench.project.reading import read_text


@dataclass(frozen=True)
class Note:
    """What became of one thing that the configuration says, or that its tool does unasked.

    Attributes:
        where: `file:line`; empty for what the tool does unasked.
        given: as it stands there, such as `lora_r = 64`.
        became: our setting, such as `training.rank = 64`; empty when it has none.
        remark: why, or what is worth knowing.
    """

    where: str
    given: str
    became: str
    remark: str = ""


@dataclass(frozen=True)
class Imported:
    """What a configuration comes to.

    Attributes:
        tool: what it is of, such as `qlora.py`.
        settings: ours, in the order of the schema, with what the tool does unasked.
        notes: a word on each thing it says, in its order; then what its tool does unasked.
    """

    tool: str
    settings: list[Setting]
    notes: list[Note]

    @property
    def telling(self) -> list[Setting]:
        """The settings that are given, and those that the tool has unasked where our default is another."""
        ours = usual(NONE)
        return [each for each in self.settings if each.of or each.value != ours[each.key].value]

    @property
    def changes(self) -> dict[str, Any]:
        """Dotted key to value."""
        return {setting.key: setting.value for setting in self.settings}


def import_file(path: Path, tool: str = "") -> Imported:
    """The settings of a file: a shell script, a YAML file, or Python.

    Raises:
        WorkbenchError: it cannot be read, is none of these, or says what cannot be; each with its line.
    """
    return import_text(read_text(path), path.name, tool)


def import_text(text: str, name: str, tool: str = "") -> Imported:
    """As `import_file`, of a text with a name for errors; `tool` is one of `TOOLS`, or empty to find out."""
    if len(text) > LONGEST:
        raise fault(f"{len(text):,} characters; no configuration is that long", name)
    suffix = name.rpartition(".")[2].lower()
    if suffix in ("yaml", "yml"):
        return _imported(read_yaml(text, name), [], "", tool)
    if suffix != "py" and looks_like_one(text):
        return _of_command(read_script(text, name, KNOWN), tool)
    if suffix == "py" or "=" in text:
        return _imported(*read_python(text, name), "", tool or "transformers")
    return _imported(read_yaml(text, name), [], "", tool)


def import_words(words: Sequence[str], tool: str = "") -> Imported:
    """As `import_file`, of a command line as the shell hands it over."""
    return _of_command(read_words(words, KNOWN), tool)


def _of_command(command: CommandLine, tool: str) -> Imported:
    return _imported(command.given, command.left, command.program, tool)


def _imported(given: list[Given], left: list[Given], program: str, tool_name: str) -> Imported:
    if not given:
        raise fault("no settings in it", left[0].where if left else "", "such as `--lora_r 64`")
    tool = TOOLS[tool_name] if tool_name else told_by((each.name for each in given), program)
    last = {each.name: each for each in given}
    reading = Reading(last, tool)
    for rule in RULES:
        rule(reading)
    settings = _in_order(reading)
    problems = reading.problems + _out_of_bounds(settings)
    if problems:
        raise WorkbenchError(*problems)
    settings = [each for each in settings if not _is_path_elsewhere(each)]
    imported = Imported(tool.title, settings, [])
    notes = [Note(each.where, str(each.value), "", _left_word(each.name)) for each in left]
    notes += [_note(each, last, reading, settings) for each in given]
    notes += [
        Note("", f"{tool.title}'s default", _said(each), each.remark)
        for each in imported.telling
        if not each.of
    ]
    return replace(imported, notes=notes)


def _in_order(reading: Reading) -> list[Setting]:
    return [reading.settings[key] for key in usual(NONE) if key in reading.settings]


def _out_of_bounds(settings: list[Setting]) -> list[Problem]:
    """What our schema says against the values, told at the place they were given."""
    tree: Tree = {"name": "unnamed"}
    for setting in settings:
        tree = with_value(tree, key_path(setting.key), setting.value)
    problems = []
    for complaint in faults(tree):
        said = [each.of[0] for each in settings if each.of and key_path(each.key) == complaint.path[:2]]
        of = next(iter(said), None)
        where = f"{of.where}: {of.name}" if of else key_text(complaint.path)
        problems.append(Problem(complaint.what, where, complaint.hint))
    return problems


def _is_path_elsewhere(setting: Setting) -> bool:
    """Whether it names a folder of another machine."""
    if setting.key not in ("model.base", "training.continue_from"):
        return False
    path = str(setting.value)
    if setting.key == "model.base" and reads_as_hub_id(path):
        return False
    try:
        return not Path(path).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):
        return True


def _note(each: Given, last: dict[str, Given], reading: Reading, settings: list[Setting]) -> Note:
    given = f"{each.name} = {_value(each.value)}"
    mended = f"read from `{each.mended}`" if each.mended else ""

    def note(became: str, *remarks: str) -> Note:
        return Note(each.where, given, became, "; ".join(filter(None, [mended, *remarks])))

    if last[each.name] is not each:
        return note("", "given again below, which counts")
    made = [setting for setting in settings if each in setting.of]
    if made:
        return note(", ".join(map(_said, made)), *(setting.remark for setting in made))
    lost = [setting for setting in reading.settings.values() if each in setting.of]
    if lost:
        return note("", f"left out: there is no such folder here; set {lost[0].key}")
    if each.name in reading.remarks:
        return note("", reading.remarks[each.name])
    if each.name in NOT_HERE:
        return note("", NOT_HERE[each.name])
    if each.value is None:
        return note("", "nothing is said by it")
    if each.name in KNOWN:
        return note("", f"{reading.tool.title} takes it from another setting")
    near = nearest(each.name, KNOWN)
    return note("", f"unknown, did you mean {near}?" if near else "unknown")


def _left_word(sort: str) -> str:
    if sort == "unread":
        return "no constant, so it is not known"
    return "starts the program; here that is `workbench train`" if sort == "launcher" else "no option"


def _said(setting: Setting) -> str:
    return f"{setting.key} = {_value(setting.value)}"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value[:8])) + (", …" if len(value) > 8 else "") + "]"
    if isinstance(value, float) and abs(value) < 1e15:
        return f"{value:.10g}"
    return "nothing" if value is None else shown(value)
