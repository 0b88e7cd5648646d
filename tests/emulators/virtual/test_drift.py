"""Another version of the apps: other names, colours and sizes, the same phone underneath."""

from __future__ import annotations

import numpy as np

from tapwise.emulators.virtual.drift import OTHER_NAMES, drift_of
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone

NOTES = "com.google.android.keep"


def labels(phone: VirtualPhone) -> set[str]:
    return {node.label for node in phone.tree().walk() if node.label}


def test_without_drift_nothing_changes() -> None:
    plain, drifted = VirtualPhone(seed=3), VirtualPhone(seed=3, noise=Noise(drift=0.0))
    for phone in (plain, drifted):
        phone.open(NOTES, "new")
    assert np.array_equal(plain.frame(), drifted.frame())


def test_buttons_are_called_otherwise_and_still_work() -> None:
    phone = VirtualPhone(seed=3, noise=Noise(drift=1.0))
    phone.open(NOTES)
    assert "Add" not in labels(phone)
    (name,) = labels(phone) & set(OTHER_NAMES["Add"])
    phone.tap(*next(node for node in phone.tree().walk() if node.label == name).centre)
    assert "New note" in labels(phone)
    assert labels(phone) & set(OTHER_NAMES["Save"])
    assert not np.array_equal(phone.frame(), _plain_new_note())


def _plain_new_note() -> np.ndarray:
    phone = VirtualPhone(seed=3)
    phone.open(NOTES, "new")
    return phone.frame()


def test_the_same_seed_drifts_the_same_way_and_the_data_stays() -> None:
    first, second = (VirtualPhone(seed=4, noise=Noise(drift=0.7)) for _ in range(2))
    for phone in (first, second):
        phone.open(NOTES)
    assert np.array_equal(first.frame(), second.frame())
    assert first.data_hash() == VirtualPhone(seed=4).data_hash()


def test_worlds_drift_by_the_dial() -> None:
    def changed(amount: float) -> float:
        worlds = [drift_of(amount, seed) for seed in range(200)]
        return sum(len(world.names) for world in worlds) / (200 * len(OTHER_NAMES))

    assert changed(0.0) == 0.0
    assert 0.25 < changed(0.3) < 0.35
    assert changed(1.0) == 1.0
