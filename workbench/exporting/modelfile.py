"""Ollama's Modelfile: the weights, the prompt as a Go template, what ends an answer, how answers are drawn.

Source: https://docs.ollama.com/modelfile
"""

import json

from workbench.exporting.turns import Turns, turns_of
from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.template import Template

MODELFILE = "Modelfile"
NOT_DERIVED = (
    "the Modelfile has no TEMPLATE: this chat template does more than put fixed texts around messages; "
    "write one by hand before Ollama uses it"
)


def modelfile(
    weights: str,
    encoder: Encoder,
    template: str,
    settings: ChatSettings,
    context: int | None,
) -> tuple[str, str]:
    """The Modelfile, and a remark where its prompt cannot be said; empty for none.

    Args:
        weights: what FROM names.
        encoder: the run's.
        template: Jinja text of the exported template.
        settings: how answers are drawn, and what ends them.
        context: most tokens of the model; None when it sets no limit.
    """
    lines = [f"FROM {weights}"]
    turns = turns_of(Template("exported", template), encoder.tokenizer)
    if turns:
        bos = encoder.tokenizer.special.get("bos_token", "")
        lines.append(f'TEMPLATE """{go_template(turns, bos)}"""')
    lines += [f"PARAMETER stop {json.dumps(text, ensure_ascii=False)}" for text in _stops(encoder, settings)]
    lines += [f"PARAMETER {name} {value}" for name, value in _parameters(settings, context).items()]
    return "\n".join(lines) + "\n", "" if turns else NOT_DERIVED


def go_template(turns: Turns, bos: str) -> str:
    """The prompt in Go's text/template, as Ollama fills it: `.System`, and `.Messages` in their order.

    The beginning-of-text token is left out where the prompt begins with it: Ollama puts it there itself.
    """
    head = _go(turns.plain.removeprefix(bos))
    if turns.system_before is not None:
        before, after = _go(turns.system_before.removeprefix(bos)), _go(turns.system_after)
        head = f"{{{{- if .System }}}}{before}{{{{ .System }}}}{after}{{{{ else }}}}{head}{{{{ end }}}}"
    return (
        f"{head}\n"
        "{{- range $i, $_ := .Messages }}\n"
        "{{- $last := eq (len (slice $.Messages $i)) 1 }}\n"
        '{{- if eq .Role "user" }}{{ .Content }}'
        f"{{{{ if $last }}}}{_go(turns.prompt)}{{{{ end }}}}\n"
        f'{{{{- else if eq .Role "assistant" }}}}{_go(turns.to_answer)}{{{{ .Content }}}}'
        f"{{{{ if not $last }}}}{_go(turns.to_question)}{{{{ end }}}}\n"
        "{{- end }}\n"
        "{{- end }}"
    )


def _go(text: str) -> str:
    """A text as a Go string inside the template: no line break of it is at the mercy of trimming."""
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if text else ""


def _stops(encoder: Encoder, settings: ChatSettings) -> list[str]:
    marks = [encoder.tokenizer.decode([index]) for index in encoder.stop_ids]
    return list(dict.fromkeys(text for text in (*marks, *encoder.stop_texts, *settings.stop) if text))


def _parameters(settings: ChatSettings, context: int | None) -> dict[str, float]:
    found: dict[str, float] = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": settings.top_k,
        "min_p": settings.min_p,
        "repeat_penalty": settings.repetition_penalty,
        "presence_penalty": settings.presence_penalty,
        "frequency_penalty": settings.frequency_penalty,
        "typical_p": settings.typical_p,
        "num_predict": settings.max_new_tokens,
        "seed": settings.seed,
    }
    return found | ({"num_ctx": context} if context else {})
