"""The chat template of an export: what a run's prompts hold beside the template is written into it.

`prompt.system` and the context blocks are put into a conversation before its template sees it. Other programs
know nothing of that, so the exported template does it itself.
"""

import json
import re

from workbench.prompts.blocks import JOINT, Blocks
from workbench.prompts.encoding.encode import Encoder

_GENERATION = re.compile(r"\{%(-?|\+?)\s*(end)?generation\s*(-?|\+?)%\}")


def portable_template(encoder: Encoder, system: str) -> str:
    """The run's template, with its blocks and a system message for conversations that have none.

    Args:
        encoder: the run's.
        system: `chat.system`; empty for the encoder's own.
    """
    preamble = _system(system or encoder.system) + _blocks(encoder.blocks)
    # The line break ends with the tag before it, as transformers sets up Jinja
    return f"{preamble}\n{encoder.template.source}" if preamble else encoder.template.source


def without_marks(source: str) -> str:
    """The same template without `{% generation %}`, which only transformers knows; it cuts as many blanks."""
    return _GENERATION.sub(r"{#\1 answer \3#}", source)


def _system(text: str) -> str:
    if not text:
        return ""
    return (
        "{%- set found = messages | selectattr('role', 'equalto', 'system') | list -%}"
        "{%- if not found -%}{%- set messages = "
        f"[{{'role': 'system', 'content': {_literal(text)}}}] + messages -%}}{{%- endif %}}"
    )


def _blocks(blocks: Blocks) -> str:
    """As `workbench.prompts.blocks.compose`: before the text of the first message of the user."""
    if not blocks.shared:
        return ""
    before = JOINT.join(blocks.write(*block) for block in blocks.shared) + JOINT
    asked = f"{_literal(before)} + message['content']"
    if blocks.question:
        first, *others = blocks.form.replace("{title}", blocks.question).split("{text}")
        pieces = [_literal(before + first), *(piece for each in others for piece in _after_text(each))]
        asked = " + ".join(pieces)
    return (
        "{%- set ns = namespace(messages=[], asked=false) -%}"
        "{%- for message in messages -%}"
        "{%- if message['role'] == 'user' and not ns.asked -%}"
        "{%- set ns.asked = true -%}"
        f"{{%- set ns.messages = ns.messages + [{{'role': 'user', 'content': {asked}}}] -%}}"
        "{%- else -%}{%- set ns.messages = ns.messages + [message] -%}{%- endif -%}"
        "{%- endfor -%}"
        "{%- set messages = ns.messages %}"
    )


def _after_text(text: str) -> list[str]:
    return ["message['content']", *([_literal(text)] if text else [])]


def _literal(text: str) -> str:
    """A Jinja string; it reads the escapes of JSON, but joins no surrogate pairs: characters stay."""
    return json.dumps(text, ensure_ascii=False)
