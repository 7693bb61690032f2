"""Losses as modules, with PyTorch's names and arguments; `pygrad` has each as a function, with the equation."""

from __future__ import annotations

from .. import losses
from .._engine import Tensor
from .module import Module

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
]


class _Loss(Module):
    """What all share: how the losses of the elements become one."""

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"{type(self).__name__}: reduction has to be 'mean', 'sum' or 'none', not {reduction!r}")
        self.reduction = reduction


class MSELoss(_Loss):
    """The squared error; see `pygrad.mse_loss`.

    Examples
    --------
    >>> import pygrad
    >>> MSELoss()(pygrad.tensor([1.0, 2.0]), pygrad.tensor([1.0, 4.0])).item()
    2.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of predictions against targets of the same shape."""
        return losses.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The absolute error; see `pygrad.l1_loss`.

    Examples
    --------
    >>> import pygrad
    >>> L1Loss()(pygrad.tensor([1.0, 2.0]), pygrad.tensor([1.0, 4.0])).item()
    1.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of predictions against targets of the same shape."""
        return losses.l1_loss(input, target, reduction=self.reduction)


class HuberLoss(_Loss):
    """Squared up to an error of delta, linear beyond; see `pygrad.huber_loss`.

    Examples
    --------
    >>> import pygrad
    >>> HuberLoss()(pygrad.tensor([1.0, 2.0]), pygrad.tensor([2.0, 4.0])).item()
    1.0
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        if not delta > 0:
            raise ValueError(f"HuberLoss: delta has to be above 0, not {delta}")
        self.delta = float(delta)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of predictions against targets of the same shape."""
        return losses.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(_Loss):
    """Binary cross-entropy of probabilities; see `pygrad.binary_cross_entropy`.

    Examples
    --------
    >>> import pygrad
    >>> BCELoss()(pygrad.tensor([1.0, 0.0]), pygrad.tensor([1.0, 0.0])).item()
    0.0
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of probabilities against targets of the same shape."""
        return losses.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of logits; see `pygrad.binary_cross_entropy_with_logits`.

    Examples
    --------
    >>> import pygrad
    >>> BCEWithLogitsLoss()(pygrad.tensor([1000.0, -1000.0]), pygrad.tensor([0.0, 0.0])).item()
    500.0
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean", pos_weight: Tensor | None = None) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits against targets of the same shape."""
        return losses.binary_cross_entropy_with_logits(
            input, target, weight=self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class CrossEntropyLoss(_Loss):
    """Cross-entropy of logits against classes or probabilities; see `pygrad.cross_entropy`.

    Examples
    --------
    >>> import pygrad
    >>> CrossEntropyLoss()(pygrad.tensor([[1000.0, 0.0], [0.0, 1000.0]]), pygrad.tensor([1, 1])).item()
    500.0
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = float(label_smoothing)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits, shape (n, classes), against n class numbers or as many probabilities."""
        return losses.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_Loss):
    """Minus the logarithm of the right class's probability; see `pygrad.nll_loss`.

    Examples
    --------
    >>> import pygrad
    >>> NLLLoss()(pygrad.tensor([[-0.5, -1.0], [-2.0, -0.25]]), pygrad.tensor([0, 1])).item()
    0.375
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of log-probabilities, shape (n, classes), against n class numbers."""
        return losses.nll_loss(
            input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )
