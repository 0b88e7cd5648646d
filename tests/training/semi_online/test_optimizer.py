"""Small steps on weights of half precision are not lost."""

from __future__ import annotations

import pytest
import torch

from tapwise.training.recipes import OptimizerConfig
from tapwise.training.semi_online.optimizer import FullPrecisionOptimizer

CONFIG = OptimizerConfig(learning_rate=1e-4, warm_up=0, weight_decay=0.0)


def parameter(dtype: torch.dtype) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.ones(4, dtype=dtype))


def push(weights: torch.nn.Parameter, optimizer: FullPrecisionOptimizer, times: int) -> None:
    for _ in range(times):
        weights.grad = torch.ones_like(weights)
        optimizer.step()


def test_steps_too_small_for_bfloat16_add_up() -> None:
    half = parameter(torch.bfloat16)
    optimizer = FullPrecisionOptimizer([half], CONFIG)
    push(half, optimizer, 1)
    assert (half == 1).all(), "one step is below the resolution"
    push(half, optimizer, 99)
    assert half.dtype == torch.bfloat16
    assert half[0].item() == pytest.approx(1 - 100 * 1e-4, abs=4e-3)
    plain = parameter(torch.bfloat16)
    adamw = torch.optim.AdamW([plain], lr=1e-4, weight_decay=0.0)
    for _ in range(100):
        plain.grad = torch.ones_like(plain)
        adamw.step()
    assert (plain == 1).all(), "what would happen without"


def test_weights_of_full_precision_are_optimised_in_place() -> None:
    full, twin = parameter(torch.float32), parameter(torch.float32)
    push(full, FullPrecisionOptimizer([full], CONFIG), 3)
    adamw = torch.optim.AdamW([twin], lr=1e-4, betas=(0.9, 0.98), weight_decay=0.0)
    for _ in range(3):
        twin.grad = torch.full_like(twin, 0.5)  # four ones clipped to norm 1
        adamw.step()
    assert torch.equal(full, twin)


def test_a_gradient_that_is_not_finite_changes_nothing() -> None:
    weights = parameter(torch.bfloat16)
    optimizer = FullPrecisionOptimizer([weights], CONFIG)
    weights.grad = torch.full_like(weights, float("nan"))
    assert not torch.isfinite(torch.tensor(optimizer.step()))
    assert optimizer.updates == 0
    assert (weights == 1).all()
    push(weights, optimizer, 1)
    assert optimizer.updates == 1


def test_it_goes_on_where_it_was() -> None:
    whole, cut = parameter(torch.bfloat16), parameter(torch.bfloat16)
    optimizer = FullPrecisionOptimizer([whole], CONFIG)
    push(whole, optimizer, 50)
    state = optimizer.state_dict()
    cut.data.copy_(whole.data)
    resumed = FullPrecisionOptimizer([cut], CONFIG)
    resumed.load_state_dict(state)
    push(whole, optimizer, 30)
    push(cut, resumed, 30)
    assert torch.equal(whole, cut)
    assert torch.equal(optimizer.state_dict()["masters"][0], resumed.state_dict()["masters"][0])
    assert (whole < 1).all()
