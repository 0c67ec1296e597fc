"""The runs of the benchmark: healthy ones that train well, and faulty ones that do clearly worse than their healthy partner."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.faults_generator import TASKS, Training, draw
from bench.faults_injected import FAULTS, Fault, Injected
from bench.faults_training import Outcome, perform

Row = dict[str, Any]
HEALTHY = "healthy"
TRIES = 60  # draws for one run
HARM = 0.1  # a fault counts where it lowers the score on held-out samples by so much


@dataclass
class Case:
    """A run of the benchmark."""

    kind: str  # "healthy" or the name of a fault
    index: int
    training: Training
    outcome: Outcome | None = None
    partner: Outcome | None = None
    injected: Injected | None = None
    unfit: int = 0  # trainings that were drawn again because they did not train well
    harmless: int = 0  # and because the fault did them no harm, or has no place in them
    broke: dict[str, int] = field(default_factory=dict)  # and because the program raised, by the error
    seconds: float = 0.0

    def row(self) -> Row:
        """The case as plain values."""
        assert self.outcome is not None
        row: Row = {
            "kind": self.kind,
            "index": self.index,
            "words": self.training.words(),
            "score": round(self.outcome.held_out, 4),
            "unfit": self.unfit,
            "harmless": self.harmless,
            "raised": self.broke,
            "seconds": round(self.seconds, 2),
            "findings": [
                [f.rule, f.severity, f.step, f.where, f.says.splitlines()[0]] for f in self.outcome.report.findings
            ],
        }
        if self.injected is not None and self.partner is not None:
            row |= {
                "fault": self.injected.says,
                "accept": sorted(self.injected.accept),
                "symptoms": sorted(self.injected.symptoms),
                "partner": round(self.partner.held_out, 4),
            }
        return row


def generator(seed: int, kind: str, index: int) -> np.random.Generator:
    """The random generator of a case: the same seed, kind and index give the same case."""
    return np.random.default_rng([seed, zlib.crc32(kind.encode()), index])


def healthy(seed: int, index: int) -> Case | None:
    """A training that does well, watched. None: none was found in `TRIES` draws."""
    rng, began, unfit = generator(seed, HEALTHY, index), time.process_time(), 0
    while unfit < TRIES:
        training = draw(rng, TASKS)
        outcome = perform(training)
        if outcome.is_healthy:
            return Case(HEALTHY, index, training, outcome, unfit=unfit, seconds=time.process_time() - began)
        unfit += 1
    return None


def faulty(seed: int, fault: Fault, index: int) -> Case | None:
    """A training with the fault, watched, and its healthy partner, that is not. None: none was found in `TRIES` draws."""
    rng, began = generator(seed, fault.name, index), time.process_time()
    unfit = harmless = 0
    broke: dict[str, int] = {}
    variant = fault.variants[index % len(fault.variants)]
    for _ in range(TRIES):
        whole = variant.suited(draw(rng, variant.tasks), rng)
        injected = None if whole is None else variant.inject(whole, rng)
        if whole is None or injected is None:
            harmless += 1
            continue
        partner = perform(whole, watched=False)
        if not partner.is_healthy:
            unfit += 1
            continue
        try:
            outcome = perform(injected.training)
        except (ValueError, TypeError) as error:  # such a program has no need of a diagnosis
            broke[str(error)[:100]] = broke.get(str(error)[:100], 0) + 1
            continue
        if outcome.held_out > partner.held_out - HARM or not variant.shows(outcome):
            harmless += 1
            continue
        return Case(
            fault.name, index, injected.training, outcome, partner, injected, unfit, harmless, broke,
            time.process_time() - began,
        )  # fmt: skip
    return None


def case(seed: int, kind: str, index: int) -> Case | None:
    """The case of a kind: "healthy", or the name of a fault."""
    return healthy(seed, index) if kind == HEALTHY else faulty(seed, FAULTS[kind], index)
