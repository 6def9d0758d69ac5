"""`[training]` of the project as TRL's arguments, with every default that would surprise spelled out."""

from pathlib import Path

import torch
from trl import SFTConfig

from workbench.errors import fault
from workbench.project.schema import ModelSettings, Project
from workbench.project.training import TrainingSettings


def precision(settings: TrainingSettings) -> str:
    """`bf16`, `fp16` or `fp32` for this machine.

    Raises:
        WorkbenchError: the precision that was asked for is not there.
    """
    gpu = torch.cuda.is_available()
    if settings.precision == "auto":
        if not gpu:
            return "fp32"
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return _possible(settings.precision, "training.precision")


def compute_dtype(settings: ModelSettings, arithmetic: str) -> str:
    """`bf16`, `fp16` or `fp32`, for the arithmetic on nf4 weights; `arithmetic` is that of the training.

    Raises:
        WorkbenchError: the type that was asked for is not there.
    """
    if settings.compute_dtype == "auto" or settings.quantization != "nf4":
        return arithmetic
    return _possible(settings.compute_dtype, "model.compute_dtype")


def _possible(asked: str, key: str) -> str:
    gpu = torch.cuda.is_available()
    if asked == "fp16" and not gpu:
        raise fault(f"{key} = fp16 needs a GPU", hint="take auto, which is fp32 on a CPU")
    if asked == "bf16" and gpu and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise fault("this GPU has no bf16", key, hint="take auto, which is fp16 here")
    return asked


def training_arguments(project: Project, output: Path, packing: str, name: str = "") -> SFTConfig:
    """TRL's configuration of one run.

    When to log, evaluate, save and stop is decided by `pacing.Pacing`, so all of that is off here.

    Args:
        project: the resolved project.
        output: folder that TRL is told to write into; our own trainer writes elsewhere.
        packing: `batch`, `bfd` or `none`; what this model can do, perhaps less than what was asked for.
        name: of the run, for those that get its figures.
    """
    settings = project.training
    chosen = precision(settings)
    return SFTConfig(
        output_dir=str(output),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.lr_scheduler_type,
        lr_scheduler_kwargs=_schedule(settings),
        warmup_steps=settings.warmup_steps,
        num_train_epochs=settings.num_train_epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=settings.per_device_train_batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        optim=settings.optim,
        adam_beta2=settings.adam_beta2,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        seed=settings.seed,
        data_seed=settings.data_seed,
        # Rows arrive no longer than max_tokens; TRL cuts at 1024, and refuses a limit without packing
        packing=packing == "bfd",
        packing_strategy="bfd",
        padding_free=packing != "none",
        max_length=project.data.max_tokens if packing == "bfd" else None,
        # TRL turns both on
        bf16=chosen == "bf16",
        gradient_checkpointing=settings.gradient_checkpointing,
        fp16=chosen == "fp16",
        use_liger_kernel=settings.use_liger_kernel,
        use_cpu=not torch.cuda.is_available(),
        # This hides a loss that is not a number, and waits for the device in every micro-batch
        logging_nan_inf_filter=False,
        logging_strategy="no",
        eval_strategy="no",
        save_strategy="no",
        report_to="none",  # `hand_offs` does it
        run_name=name,
        disable_tqdm=True,
        # Load balancing of mixture-of-experts layers is a matter of pretraining
        router_aux_loss_coef=0.0,
        dataloader_pin_memory=torch.cuda.is_available(),
        # With several processes: every weight that trains gets a gradient, and buffers never change
        ddp_find_unused_parameters=False,
        ddp_broadcast_buffers=False,
    )


def _schedule(settings: TrainingSettings) -> dict[str, int]:
    """What transformers' schedule takes beside warm-up and length of the run."""
    restarts = settings.lr_scheduler_type == "cosine_with_restarts"
    return {"num_cycles": settings.lr_restarts} if restarts else {}
