"""Trace and span ids from our own random generator. `random.seed()` in the program has no effect on them."""

import os
from random import Random

from opentelemetry.sdk.trace.id_generator import IdGenerator

_random = Random()  # seeded by the system's entropy
random_bits = _random.getrandbits
"""`random_bits(k)`: an integer of *k* random bits."""

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_random.seed)


class EntropyIdGenerator(IdGenerator):
    """Random ids, seeded by the system's entropy and again in each child of a fork."""

    def generate_span_id(self) -> int:
        """A random integer of 64 bits, never 0."""
        return random_bits(64) or 1

    def generate_trace_id(self) -> int:
        """A random integer of 128 bits, never 0."""
        return random_bits(128) or 1

    def is_trace_id_random(self) -> bool:
        """True: trace ids have the random flag of https://www.w3.org/TR/trace-context-2/."""
        return True
