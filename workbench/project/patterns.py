"""Regular expressions that people write in a project: read by the module `regex`, which can be given a time
limit; `re` cannot be stopped inside a pattern such as `(a+)+b`."""

from typing import Any


def compiled(pattern: str) -> Any:
    """The pattern as the module `regex` has it. Raises ValueError with what is wrong."""
    import regex

    try:
        return regex.compile(pattern)
    except regex.error as e:
        raise ValueError(f"not a regular expression: {e}") from e
    except (RecursionError, OverflowError, MemoryError) as e:
        raise ValueError("a regular expression that is too large") from e


def fault_of(pattern: str, replacement: str = "") -> str:
    """What is wrong with a pattern, or with the groups that its replacement names; empty when nothing is."""
    import regex

    try:
        compiled(pattern)
        compiled(f"{pattern}|").sub(replacement, "")
    except ValueError as e:
        return str(e)
    except (regex.error, IndexError) as e:
        return f"the replacement does not fit: {e}"
    return ""
