"""Differentiation: backward, gradients of chosen inputs, hooks, functions of one's own, and what is recorded."""

from __future__ import annotations

from . import functional
from .anomaly import detect_anomaly, set_detect_anomaly
from .backward import Node, backward, grad
from .checkpoint import checkpoint
from .function import Function, FunctionContext
from .hooks import RemovableHandle, register_hook, register_post_accumulate_grad_hook
from .modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled

__all__ = [
    "Function",
    "FunctionContext",
    "Node",
    "RemovableHandle",
    "backward",
    "checkpoint",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "register_hook",
    "register_post_accumulate_grad_hook",
    "set_detect_anomaly",
    "set_grad_enabled",
]
