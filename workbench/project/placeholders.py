"""`{column}` in the templates of sources and prompts: names in braces, nothing else."""

import re

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
"""A name in braces, or a doubled brace, which stands for a plain one."""


def placeholders(template: str) -> set[str]:
    """The names that a template has in braces."""
    return {name for name in PLACEHOLDER.findall(template) if name}
