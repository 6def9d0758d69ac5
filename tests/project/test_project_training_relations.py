"""Settings of a training that exclude each other are named, both; those without effect are let be."""

from pathlib import Path

import pytest
from test_project_relations import told

FULL = '[training]\nmethod = "full"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (FULL + "use_dora = true", "4: training.use_dora: DoRA is a form of adapter, and training.method is"),
        (
            FULL + 'modules_to_save = ["a"]',
            "4: training.modules_to_save: every layer is trained whole",
        ),
        (FULL + 'continue_from = "a"', "4: training.continue_from: it names an adapter, and training.method"),
        (
            '[training]\nrank = 3\ninit_lora_weights = "orthogonal"',
            "4: training.init_lora_weights: orthogonal start values come in pairs, and training.rank is 3",
        ),
        (
            '[model]\nquantization = "int8"\n[training]\ninit_lora_weights = "pissa"',
            "5: training.init_lora_weights: pissa is taken out of the base weights, which quantizing once "
            "more would change: not with model.quantization = int8",
        ),
        (
            '[model]\nquantization = "nf4"\n[training]\ninit_lora_weights = "orthogonal"',
            "5: training.init_lora_weights: orthogonal is computed in the type of the base weights: not with",
        ),
        (
            '[training]\ntarget_modules = ["a", "b"]\nmodules_to_save = ["b"]',
            "4: training.modules_to_save: b would be trained whole and get an adapter as well",
        ),
        (
            "[training]\nearly_stopping_patience = 2\neval_steps = 0",
            "3: training.early_stopping_patience: early stopping needs validations on the way, and "
            "training.eval_steps = 0",
        ),
        (
            "[training]\nearly_stopping_patience = 2\n[data]\nvalidation = 0",
            "3: training.early_stopping_patience: early stopping needs rows held out, and data.validation",
        ),
        (
            '[model]\nattn_implementation = "flash_attention_2"\n[training]\nprecision = "fp32"',
            "3: model.attn_implementation: flash_attention_2 computes in bf16 or fp16, and training",
        ),
    ],
)
def test_two_that_exclude_each_other(tmp_path: Path, text: str, problem: str) -> None:
    (only,) = told(tmp_path, f'name = "x"\n{text}')
    assert only.startswith(problem)


@pytest.mark.parametrize(
    "text",
    [
        FULL + 'rank = 3\nuse_rslora = true\ninit_lora_weights = "orthogonal"',
        "[model]\ndouble_quantization = false\ncompute_dtype = 'fp32'",
        '[training]\nlr_scheduler_type = "constant"\nmax_steps = 20\nwarmup_steps = 50',
        "[training]\nmax_steps = 20\nwarmup_steps = 50",
        "[training]\nwarmup_steps = 50",
        '[model]\nquantization = "nf4"\n[training]\nuse_dora = true',
        "[training]\nearly_stopping_patience = 2\n[data]\nvalidation = 0\n[[data.source]]\n"
        'kind = "text"\npath = "a"\nsplit = "validation"\n[[data.source]]\nkind = "text"\npath = "b"',
    ],
)
def test_what_merely_has_no_effect_is_no_error(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, f'name = "x"\n{text}') == []
