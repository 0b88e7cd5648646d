"""The recipe of the base weights: stage "reading" trains the vision tower to name what each visual token shows, stage
"pointing" trains the language model to look labels up and say where they are."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from tapwise.agent.action_text import GRID, grid_tokens
from tapwise.agent.vlm.tiny import build_model, build_processor, build_tokenizer
from tapwise.config import Config
from tapwise.training.pretraining.data import IGNORED, Batch, PretrainingData, stream
from tapwise.training.pretraining.vocabulary import Vocabulary, build_vocabulary

TEXT_SHARE = 0.4
"""of the reading stage's screens, how many are pages full of text"""


class PretrainingConfig(Config):
    """All that decides the base weights."""

    seed: int = 0
    """seed of weights and data"""
    vision_width: int = Field(96, multiple_of=32, gt=0)
    """width of the vision tower"""
    text_width: int = Field(64, multiple_of=32, gt=0)
    """width of the language model"""
    layers: int = Field(3, gt=1)
    """layers of each of the two"""
    batch_size: int = Field(32, gt=0)
    """screens a batch"""
    questions: int = Field(10, gt=0)
    """questions a screen in the pointing stage"""
    reading_steps: int = Field(1200, ge=0)
    """updates of the reading stage"""
    pointing_steps: int = Field(1000, ge=0)
    """updates of the pointing stage"""
    learning_rate: float = Field(3e-3, gt=0)
    """peak learning rate of AdamW, in both stages"""
    matrix_learning_rate: float = Field(1e-2, gt=0)
    """peak learning rate of Muon, which learns the vision tower's matrices"""
    walks: int = Field(60, gt=0)
    """random walks that the vocabulary is gathered from"""


Report = Callable[[str, int, dict[str, float]], None]


class Pretraining:
    """Runs the recipe in a folder; `run` goes on from the last checkpoint there."""

    def __init__(self, config: PretrainingConfig, folder: Path) -> None:
        self.config, self.folder = config, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.vocabulary = self._vocabulary()
        self.tokenizer = build_tokenizer(self.vocabulary.words)
        self.processor = build_processor(self.tokenizer)
        torch.manual_seed(config.seed)
        self.model = build_model(
            self.tokenizer, vision_width=config.vision_width, text_width=config.text_width, layers=config.layers
        )
        ids = torch.tensor(self.tokenizer.convert_tokens_to_ids(grid_tokens()))
        self._row_ids, self._column_ids = ids[:GRID], ids[GRID:]

    def _vocabulary(self) -> Vocabulary:
        path = self.folder / "vocabulary.json"
        if not path.exists():
            found = build_vocabulary(self.config.walks)
            path.write_text(json.dumps({"words": found.words, "icons": found.icons}), encoding="utf-8")
        data = json.loads(path.read_text(encoding="utf-8"))
        return Vocabulary(tuple(data["words"]), tuple((icon, name) for icon, name in data["icons"]))

    def run(self, report: Report) -> None:
        """Both stages, then the folder `model`. `report` gets (stage, step, metrics) every 20 steps."""
        for stage, steps in (("reading", self.config.reading_steps), ("pointing", self.config.pointing_steps)):
            if steps:
                self._stage(stage, steps, report)
        self.model.save_pretrained(self.folder / "model")
        self.processor.save_pretrained(self.folder / "model")

    def _stage(self, stage: str, steps: int, report: Report) -> None:
        vision = self.model.model.visual
        for parameter in self.model.parameters():
            parameter.requires_grad_(True)
        if stage == "pointing":
            vision.requires_grad_(False)
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        optimizers = self._optimizers()
        peaks = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
        path = self.folder / f"{stage}.pt"
        first = self._load(path, optimizers)
        offset = 0 if stage == "reading" else 1_000_000
        data = PretrainingData(
            self.processor,
            self.vocabulary,
            seed=self.config.seed,
            batch_size=self.config.batch_size,
            questions=1 if stage == "reading" else self.config.questions,
            text_share=TEXT_SHARE if stage == "reading" else 0.0,
            first=offset + first,
        )
        if first >= steps:
            return
        started = time.monotonic()
        for step, batch in enumerate(stream(data), start=first):
            for optimizer, peak in zip(optimizers, peaks, strict=True):
                optimizer.param_groups[0]["lr"] = peak * schedule(step, steps)
            loss, metrics = self._reading_loss(batch) if stage == "reading" else self._pointing_loss(batch)
            self.model.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            for optimizer in optimizers:
                optimizer.step()
            if (step + 1) % 20 == 0:
                report(stage, step + 1, {"loss": loss.item(), "seconds": time.monotonic() - started, **metrics})
            if (step + 1) % 200 == 0 or step + 1 == steps:
                self._save(path, step + 1, optimizers)
            if step + 1 >= steps:
                return

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        """Muon for the matrices of the vision tower while it learns, with steps as large as AdamW's (arXiv 2502.16982);
        AdamW for all else."""
        trained = [(name, p) for name, p in self.model.named_parameters() if p.requires_grad]
        matrices = [p for name, p in trained if ".visual." in name and p.ndim == 2 and "pos_embed" not in name]
        chosen = {id(p) for p in matrices}
        others = [p for _, p in trained if id(p) not in chosen]
        optimizers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(others, lr=self.config.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
        ]
        if matrices:
            rate = self.config.matrix_learning_rate
            optimizers.append(torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"))
        return optimizers

    def _save(self, path: Path, step: int, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        state = {
            "step": step,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        }
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").rename(path)

    def _load(self, path: Path, optimizers: Sequence[torch.optim.Optimizer]) -> int:
        if not path.exists():
            return 0
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        return int(state["step"])

    def _reading_loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Each visual token names its words (weight 1) and where their element is touched; empty ones say padding."""
        features = self.model.get_image_features(batch.pixel_values, batch.grid, return_dict=True)
        tokens = torch.cat(list(features.pooler_output))
        logits = self.model.lm_head(self.model.model.language_model.norm(tokens))
        log_p = functional.log_softmax(logits, dim=-1)
        words = batch.words.flatten(0, 1)
        has_word = words >= 0
        named = has_word.any(dim=1)
        word_log_p = log_p.gather(1, words.clamp(min=0)).masked_fill(~has_word, 0.0)
        word_loss = -(word_log_p.sum(1) / has_word.sum(1).clamp(min=1))[named].mean()
        empty_loss = -log_p[batch.empty.flatten(), self.tokenizer.pad_token_id].mean()
        rows, columns = batch.rows.flatten()[named], batch.columns.flatten()[named]
        row_loss = functional.cross_entropy(logits[named][:, self._row_ids], rows)
        column_loss = functional.cross_entropy(logits[named][:, self._column_ids], columns)
        best = logits.argmax(1)
        right = (best[:, None] == words).any(1)[named].float().mean().item()
        right_row = (logits[named][:, self._row_ids].argmax(1) == rows).float().mean().item()
        loss = word_loss + 0.25 * (row_loss + column_loss) + 0.3 * empty_loss
        return loss, {"naming": right, "rows": right_row}

    def _pointing_loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        with torch.no_grad():
            features = self.model.get_image_features(batch.pixel_values, batch.grid, return_dict=True)
        logits = self.model(
            input_ids=batch.input_ids,
            attention_mask=turn_mask(batch.turns),
            position_ids=self._positions(batch),
            image_grid_thw=batch.grid,
            mm_token_type_ids=batch.image_mask,
            mm_encoder_outputs={"image": features},
        ).logits[:, :-1]
        labels = batch.labels[:, 1:]
        loss = functional.cross_entropy(logits.transpose(1, 2), labels, ignore_index=IGNORED)
        best = logits.argmax(-1)
        located = (labels[..., None] == self._row_ids).any(-1) | (labels[..., None] == self._column_ids).any(-1)
        accuracy = (best == labels)[located].float().mean().item()
        words = (best == labels)[(labels != IGNORED) & ~located].float().mean().item()
        return loss, {"locations": accuracy, "words": words}

    def _positions(self, batch: Batch) -> Tensor:
        """Positions (3, B, L) that let every question start right after the picture, as it does when acting."""
        picture = int((batch.turns[0] == 0).sum())
        ids, types = batch.input_ids[:, :picture], batch.image_mask[:, :picture]
        before, _ = self.model.model.get_rope_index(ids, image_grid_thw=batch.grid, mm_token_type_ids=types)
        turns = batch.turns[:, picture:]
        starts = torch.nn.functional.pad((turns[:, 1:] != turns[:, :-1]).long(), (1, 0), value=1)
        index = torch.arange(turns.shape[1]).expand_as(turns)
        within = index - torch.cummax(index * starts, dim=1).values
        after = before[:, :, -1:] + 1 + within[None]
        return torch.cat([before, after.expand(3, -1, -1)], dim=2)


def turn_mask(turns: Tensor) -> Tensor:
    """Which tokens see which, bool (B, 1, L, L): each question sees the picture and itself, never another question."""
    same = turns[:, :, None] == turns[:, None, :]
    picture = (turns == 0)[:, None, :]
    causal = torch.ones(turns.shape[1], turns.shape[1], dtype=torch.bool).tril()
    return ((same | picture) & causal)[:, None]


def schedule(step: int, steps: int, warm_up: int = 50, decay: float = 0.35) -> float:
    """Linear warm-up, flat, then linear decay to zero over the last `decay` of the steps."""
    return min(1.0, (step + 1) / warm_up, (steps - step) / max(1.0, decay * steps))
