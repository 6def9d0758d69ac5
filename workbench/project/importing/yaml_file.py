"""Reading a flat YAML configuration: plain values only, no objects, bounded whatever its aliases refer to."""

from typing import Any

import yaml

from workbench.errors import fault
from workbench.project.importing.given import Given, scalar

_MOST_NODES = 20_000
_DEEPEST = 20


def read_yaml(text: str, name: str) -> list[Given]:
    """The keys of a mapping with their lines.

    Raises:
        WorkbenchError: it is no YAML, no mapping, holds objects, or grows without measure; with the line.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as e:
        line = f"{name}:{e.problem_mark.line + 1}" if e.problem_mark else name
        raise fault(f"not YAML: {e.problem or e.context}", line) from e
    except yaml.YAMLError as e:
        raise fault(f"not YAML: {e}", name) from e
    except RecursionError:
        raise fault("nested too deeply", name) from None
    if not isinstance(root, yaml.MappingNode):
        raise fault("not a YAML mapping of settings", name, "such as `learning_rate: 2.0e-4`")
    values = _Values(name)
    return [
        Given(str(values.of(key)), values.of(value), f"{name}:{key.start_mark.line + 1}")
        for key, value in root.value
    ]


class _Values:
    """Nodes as plain values; an alias counts as often as it is met."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = _MOST_NODES

    def of(self, node: yaml.Node, depth: int = 0) -> Any:
        self._left -= 1
        where = f"{self._name}:{node.start_mark.line + 1}"
        if self._left < 0 or depth > _DEEPEST:
            raise fault("its aliases make too much of it", where, "write the values out")
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.startswith("tag:yaml.org,2002:python"):
            raise fault(f"an object, not a value: {node.tag}", where, "only plain values are read")
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item, depth + 1) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            return {str(self.of(key, depth + 1)): self.of(value, depth + 1) for key, value in node.value}
        # YAML 1.1 takes 1e-4 for a text; what reads like a number on a command line is one here too
        if isinstance(node, yaml.ScalarNode) and node.style in ("'", '"', "|", ">"):
            return str(node.value)
        return scalar(str(node.value)) if node.value else None
