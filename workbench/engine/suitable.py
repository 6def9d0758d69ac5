"""What must hold of rows and model before a training begins, and what of them is told."""

from collections.abc import Sequence

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from workbench.data.report import SourceReport
from workbench.engine import models
from workbench.errors import fault
from workbench.project.schema import Project
from workbench.prompts.corpus import EncodedProject
from workbench.prompts.encoding.encoded import Supervised
from workbench.runs.events import EventWriter


def require_rows(encoded: EncodedProject, project: Project) -> None:
    """Raise a WorkbenchError where no row is left to train on, or none to stop early by."""
    if not encoded.train:
        reasons = [f"{count} {reason}" for report in encoded.report for reason, count, _ in report.left_out]
        hint = f"left out: {', '.join(reasons)}" if reasons else "add rows"
        raise fault("no row is left to train on", "data.source", hint)
    if project.training.early_stopping_patience and not encoded.validation:
        where = "training.early_stopping_patience"
        raise fault("no row is held out, early stopping looks at such rows", where, "raise data.validation")


def require_fit(model: PreTrainedModel, examples: Sequence[Supervised]) -> None:
    """Raise a WorkbenchError where examples have positions or tokens that the model does not have.

    They would end the run midway, or train nonsense.
    """
    longest = max(len(example.ids) for example in examples)
    limit = models.context_length(model)
    if limit is not None and longest > limit:
        over = sum(len(example.ids) > limit for example in examples)
        raise fault(
            f"{over} of {len(examples)} examples are longer than the {limit} tokens the model was made for; "
            f"the longest has {longest}",
            "data.max_tokens",
            f"set it to {limit} or less",
        )
    known = model.get_input_embeddings().num_embeddings
    highest = max(max(example.ids) for example in examples)
    if highest >= known:
        raise fault(
            f"the tokenizer makes token {highest}, the base model knows {known} tokens",
            "model.base",
            "its tokenizer belongs to another model",
        )


def tell_left_out(reports: Sequence[SourceReport], events: EventWriter) -> None:
    """One warning for each source that loses rows: how many, why, and where to look first."""
    for report in reports:
        if reasons := report.left_out:
            lost = sum(count for _, count, _ in reasons)
            told = ", ".join(
                f"{count} {reason}" + (f" (first: row {first})" if first is not None else "")
                for reason, count, first in reasons
            )
            message = f"{lost} of {report.read} rows of {report.name} are not used: {told}"
            events.write("warning", message=message)


def tell_wide_rank(model: torch.nn.Module, events: EventWriter) -> None:
    """Warn of a rank beyond the layers: a product of two matrices has no higher one than its sides."""
    if not isinstance(model, PeftModel):
        return
    layers = [
        (min(layer.in_features, layer.out_features), name.rpartition(".")[2])
        for name, layer in model.named_modules()
        if hasattr(layer, "lora_A") and hasattr(layer, "in_features")
    ]
    most, name = min(layers, default=(0, ""))
    rank = model.peft_config["default"].r
    if 0 < most < rank:
        what = f"training.rank = {rank} is more than {name} can use, which is {most} wide"
        events.write("warning", message=f"{what}: memory and time without effect")
