"""TRL's trainer with our loss, measures and checkpoints; it stops before a broken step moves the weights."""

import heapq
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.compute as pc
import torch
from datasets import Dataset
from peft import PeftModel
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import DefaultFlowCallback, PreTrainedTokenizerBase, PrinterCallback
from trl import SFTConfig, SFTTrainer

from workbench.engine.adapters import restore, save_adapter
from workbench.engine.checkpoint_writer import CheckpointWriter
from workbench.engine.commands import Commands
from workbench.engine.finite import require_finite
from workbench.engine.meter import Meter, Reading
from workbench.engine.noise import EmbeddingNoise
from workbench.engine.pacing import Pacing, out_of_patience
from workbench.engine.progress import Progress
from workbench.engine.rank_batches import RankBatches, RankLoader, is_filler
from workbench.engine.ranks import ALONE, Ranks
from workbench.engine.reasons import out_of_memory
from workbench.engine.recovery import Recovery
from workbench.engine.rows import Row
from workbench.engine.samples import Samples
from workbench.engine.scoring import Scores, score
from workbench.project.training import TrainingSettings
from workbench.runs.events import EventWriter


class Trainer(SFTTrainer):  # type: ignore[misc]
    """Trains one run and tells `events` what happens.

    Args:
        settings: `[training]` of the project.
        model: base model or PEFT model.
        args: from `arguments.training_arguments`.
        tokenizer: gives the padding token; rows arrive encoded.
        rows: training rows of `rows.to_row`.
        validation: validation rows of `rows.to_row`.
        progress: what earlier attempts have behind them; counted on in place.
        samples: answers when somebody asks for them.
        ranks: who else trains the same run; each gets its part of every step's rows.
    """

    loss_is_scaled_for_ga = True  # divided by the trained tokens of the whole optimizer step

    def __init__(
        self,
        settings: TrainingSettings,
        model: torch.nn.Module,
        args: SFTConfig,
        tokenizer: PreTrainedTokenizerBase,
        rows: Sequence[Row],
        validation: Sequence[Row],
        *,
        events: EventWriter,
        commands: Commands,
        checkpoints: CheckpointWriter,
        progress: Progress,
        samples: Samples | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self._pacing = Pacing(settings, bool(validation), commands)
        columns = {name: [row[name] for row in rows] for name in ("input_ids", "labels")}
        super().__init__(
            model=model,
            args=args,
            train_dataset=Dataset.from_dict(columns),
            processing_class=tokenizer,
            callbacks=[self._pacing],
        )
        self.remove_callback(DefaultFlowCallback)
        self.remove_callback(PrinterCallback)
        # Some architectures do not ask for the count of trained tokens; our loss always needs it
        self.model_accepts_loss_kwargs = True
        for parameter in self.model.parameters():
            if parameter.requires_grad:
                # TRL makes the adapter of a quantized model bf16, which costs accuracy
                parameter.data = parameter.data.float()
        self.progress = progress
        self.last_saved: int | None = None
        self._settings = settings
        alpha = settings.neftune_noise_alpha
        self._noise = EmbeddingNoise(alpha) if alpha else None
        self._validation = validation
        self._events = events
        self._commands = commands
        commands.validates = bool(validation)
        self._checkpoints = checkpoints
        self._samples = samples
        self._ranks = ranks
        self._meter = Meter(ranks)
        self._recovery = Recovery(
            settings, progress, events, self._meter, lambda: self.state.global_step, self.model.zero_grad
        )
        self._mark = time.perf_counter()
        self._paused = 0.0

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Train to the end or to a stop; see transformers' `Trainer.train`.

        Raises:
            Diverged: loss or gradients are not finite.
            OutOfMemory: one example does not fit into memory.
        """
        self._mark = time.perf_counter()
        noise = self._noise.on(self.model.get_input_embeddings()) if self._noise else nullcontext()
        with self._commands.stepping(), noise:
            try:
                return super().train(*args, **kwargs)
            except Exception as error:
                if out_of_memory(error):  # in the optimizer, most of all
                    self._recovery.tell("none")
                raise

    def probe(self) -> None:
        """Forward and backward on the micro-batch of the longest examples; nothing of it is left.

        What would run out of memory in the midst of a night does so now. Call it before the first step.

        Raises:
            OutOfMemory: one example does not fit into memory.
        """
        inputs = self._prepare_inputs(self.longest())
        trained = self._get_num_items_in_batch([inputs], self.args.device)
        with self._pause():
            self._recovery.begin_step()
            self._recovery.train(inputs, lambda part: self._probe_part(part, trained))
            self._recovery.take_back()

    def longest(self) -> dict[str, Any]:
        """The micro-batch of the longest rows, on the CPU; its columns: `micro_batches.Inputs`."""
        size, rows = self.args.per_device_train_batch_size, self.train_dataset
        lengths = pc.list_value_length(rows.data.column("input_ids")).to_pylist()
        longest = heapq.nlargest(size, range(len(lengths)), key=lengths.__getitem__)
        inputs: dict[str, Any] = self.data_collator([rows[i] for i in longest])
        return inputs

    def _probe_part(self, part: dict[str, Any], trained: Tensor | int | None) -> Tensor:
        """With gradients in memory, as they are from a step's second micro-batch on."""
        if self._recovery.batches[1] > 1:
            for parameter in self.model.parameters():
                if parameter.requires_grad and parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
        loss: Tensor = super().training_step(self.model_wrapped, part, trained)
        return loss

    def get_batch_samples(self, *args: Any) -> tuple[list[Any], Tensor | int | None]:
        """Called by transformers for the micro-batches of each optimizer step."""
        batches: tuple[list[Any], Tensor | int | None] = super().get_batch_samples(*args)
        self._recovery.begin_step()
        return batches

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Forward and backward of one micro-batch, in as many parts as memory asks for."""
        step = super().training_step
        return self._recovery.train(inputs, lambda part: step(model, part, num_items_in_batch))

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Negative log-likelihood in nats per trained token: a micro-batch's part of the optimizer step."""
        if self._noise is not None:
            self._noise.expect(inputs)
        scores = score(model, inputs)
        if not (self._ranks.several and is_filler(inputs)):
            self._meter.add(scores, _tokens(inputs))
        total = scores.trained.sum() if num_items_in_batch is None else num_items_in_batch
        loss = -scores.log_probs.sum() / torch.as_tensor(total).clamp(min=1)
        # `total` is that of all ranks, and their gradients are averaged, not added up
        return loss * self._ranks.world_size if self._ranks.several else loss

    def get_train_dataloader(self) -> DataLoader[Any]:
        """With several ranks, each takes its part of the rows that one process would take."""
        if not self._ranks.several:
            loader: DataLoader[Any] = super().get_train_dataloader()
            return loader
        rows = self._remove_unused_columns(self.train_dataset)
        batches = RankBatches(len(rows), self._train_batch_size, self._ranks, self._settings.data_seed)
        return RankLoader(rows, batches, self.data_collator, self.args.dataloader_pin_memory)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Turn what transformers logs into a step event; the summary at its end says nothing new."""
        if "loss" not in logs:
            return
        now = time.perf_counter()
        seconds = now - self._mark - self._paused
        self._mark, self._paused = now, 0.0
        reading, progress = self._meter.read(), self.progress
        progress.tokens += reading.tokens
        progress.supervised_tokens += reading.supervised_tokens
        progress.examples += reading.examples
        progress.seconds += seconds
        figures = {
            "epoch": self.state.epoch,
            "loss": reading.loss,
            "learning_rate": logs["learning_rate"],
            "grad_norm": logs["grad_norm"],
            "token_accuracy": reading.token_accuracy,
            "sequence_accuracy": reading.sequence_accuracy,
            "elapsed_tokens": progress.tokens,
            "elapsed_supervised_tokens": progress.supervised_tokens,
            "elapsed_examples": progress.examples,
            "tokens_per_second": reading.tokens / seconds,
            "supervised_tokens_per_second": reading.supervised_tokens / seconds,
            "seconds": progress.seconds,
        }
        self._events.write("step", step=self.state.global_step, **figures)
        self.callback_handler.on_log(self.args, self.state, self.control, figures)
        self.control.should_log = False

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score the validation rows, in training's micro-batches; a new best asks for a checkpoint.

        It draws no random numbers, so that a run goes on the same whether or not it was validated.
        """
        self.control.should_evaluate = False
        started = time.perf_counter()
        reading = self._validate()
        if reading is None:
            self.control.should_save = self.control.should_training_stop = True
            return {}
        step = self.state.global_step
        self._events.write(
            "evaluated",
            step=step,
            epoch=self.state.epoch,
            validation_loss=reading.loss,
            token_accuracy=reading.token_accuracy,
            sequence_accuracy=reading.sequence_accuracy,
            seconds=round(time.perf_counter() - started, 3),
        )
        figures = {
            "eval_loss": reading.loss,
            "eval_token_accuracy": reading.token_accuracy,
            "eval_sequence_accuracy": reading.sequence_accuracy,
        }
        self.callback_handler.on_log(self.args, self.state, self.control, figures)
        progress = self.progress
        if progress.best_loss is None or reading.loss < progress.best_loss:
            progress.best_loss, progress.best_step = reading.loss, step
            progress.validations_since_best = 0
            self.control.should_save = True
        elif self._pacing.validation_due:
            progress.validations_since_best += 1
        if out_of_patience(self._settings, progress):
            self.control.should_save = self.control.should_training_stop = True
        return {"eval_loss": reading.loss}

    def _validate(self) -> Reading | None:
        """The measures of all validation rows; None when a stop was asked for meanwhile."""
        meter, size = Meter(self._ranks), self.args.per_device_train_batch_size
        with self._pause(), torch.no_grad():
            self.model.eval()
            for start in range(0, len(self._validation), size * self._ranks.world_size):
                self._commands.agree()
                if self._commands.stop:
                    return None
                own = start + size * self._ranks.rank
                if not (rows := self._validation[own : own + size]):
                    continue
                inputs = self._prepare_inputs(self.data_collator(rows))
                for scores, tokens in self._recovery.score(inputs, self._score):
                    meter.add(scores, tokens)
        return meter.read()

    def _score(self, inputs: dict[str, Any]) -> tuple[Scores, Tensor | int]:
        # The wrapper of several processes would wait for ranks that have no batch left
        model = self.model if self._ranks.several else self.model_wrapped
        return score(model, inputs), _tokens(inputs)

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        """Called by transformers after each step: what is due, then what was asked for; then a pause."""
        super()._maybe_log_save_evaluate(*args, **kwargs)
        self._sample()
        commands = self._commands
        if not commands.paused or self.control.should_training_stop:
            return
        step, started = self.state.global_step, time.monotonic()
        self._events.write("paused", step=step)
        waiting = True
        while waiting:
            with self._pause():
                commands.wait()
            waiting = commands.paused and not commands.stop
            if not waiting:
                self._events.write("continued", step=step, seconds=time.monotonic() - started)
            self._pacing.on_demand(self.control)
            super()._maybe_log_save_evaluate(*args, **kwargs)
            self._sample()

    def _sample(self) -> None:
        """Answer the prompts of some rows, when somebody asked for it."""
        if not self._commands.sample:
            return
        self._commands.sample = False
        if self._samples is None or self._commands.stop or not self._ranks.writes:
            return
        with self._pause():
            for kind, fields in self._samples.answers(self.model, self._commands):
                self._events.write(kind, **({"step": self.state.global_step} | fields))

    def _clip_grad_norm(self, model: torch.nn.Module) -> Tensor | float:
        """The last station before the optimizer: nothing that is not a number passes."""
        norm: Tensor | float = super()._clip_grad_norm(model)
        scaled = self.accelerator.scaler is not None
        require_finite(self._ranks.sum(self._tr_loss), norm, self.state.global_step + 1, scaled=scaled)
        return norm

    def save(self) -> bool:
        """Write a checkpoint of the weights as they are; False when the disk did not take it."""
        with self._pause():
            states = self._ranks.collect(self._random_state()) if self._ranks.several else []
            written = self._ranks.writes and self._checkpoints.write(
                self.state.global_step, lambda folder: self._fill(folder, states), self.progress.best_step
            )
            written = bool(self._ranks.from_first(written))
        if written:
            self.last_saved = self.state.global_step
        return written

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Called by transformers where `control.should_save` is set."""
        self.save()

    def _load_from_checkpoint(self, resume_from_checkpoint: str, *args: Any) -> None:
        """Called by transformers before the first step of a resumed run."""
        if not (isinstance(self.model, PeftModel) and restore(self.model, Path(resume_from_checkpoint))):
            super()._load_from_checkpoint(resume_from_checkpoint, *args)

    def _random_state(self) -> bytes:
        """What transformers restores as this rank's random state."""
        with TemporaryDirectory(prefix="workbench-") as folder:
            self._save_rng_state(folder)
            return (Path(folder) / f"rng_state_{self._ranks.rank}.pth").read_bytes()

    def _fill(self, folder: Path, states: Sequence[bytes]) -> None:
        """What a resume needs to go on bit by bit: weights, optimizer, schedule, random state, counters.

        Args:
            states: the random states of several ranks.
        """
        path = str(folder)
        if isinstance(self.model, PeftModel):
            save_adapter(self.model, folder)
        else:
            self.model.save_pretrained(path)
        self._save_optimizer_and_scheduler(path)
        self._save_scaler(path)
        if not states:
            self._save_rng_state(path)
        for rank, state in enumerate(states):
            (folder / f"rng_state_{rank}.pth").write_bytes(state)
        self.state.save_to_json(str(folder / "trainer_state.json"))
        self.progress.save(folder)

    @contextmanager
    def _pause(self) -> Iterator[None]:
        """Time that is not training, left out of tokens per second."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._paused += time.perf_counter() - started


def _tokens(inputs: dict[str, Any]) -> Tensor | int:
    """Tokens of a batch without its padding."""
    mask: Tensor | None = inputs.get("attention_mask")
    size: int = inputs["input_ids"].numel()
    return size if mask is None else mask.sum()
