"""What the tests of modules over tensors share."""

from __future__ import annotations


def names(module):
    return [name for name, _ in module.named_parameters()]
