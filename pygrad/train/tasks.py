"""The tasks that the command line knows, by name."""

from __future__ import annotations

from .digits import TASK as DIGITS
from .mnist import TASK as MNIST
from .task import Task
from .xor import TASK as XOR

__all__ = ["TASKS"]

TASKS: dict[str, Task] = {task.name: task for task in (XOR, DIGITS, MNIST)}
