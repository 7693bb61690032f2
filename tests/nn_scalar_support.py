"""What the tests of scalar networks share."""

from __future__ import annotations

ACTIVATIONS = {
    "linear": lambda z: z,
    "relu": lambda z: z.relu(),
    "tanh": lambda z: z.tanh(),
    "sigmoid": lambda z: z.sigmoid(),
    "gelu": lambda z: z.gelu(),
    "gelu_tanh": lambda z: z.gelu("tanh"),
    "silu": lambda z: z.silu(),
    "softplus": lambda z: z.softplus(),
    "logsigmoid": lambda z: z.logsigmoid(),
    "selu": lambda z: z.selu(),
    "mish": lambda z: z.mish(),
    "relu6": lambda z: z.relu6(),
    "hardtanh": lambda z: z.hardtanh(),
    "sin": lambda z: z.sin(),
    "leaky_relu": lambda z: z.leaky_relu(0.01),
    "elu": lambda z: z.elu(1.0),
}
ALIASES = {"leaky": "leaky_relu", "swish": "silu", "identity": "linear"}


def gradients(inputs, root):
    for v in inputs:
        v.grad = 0.0
    root.backward()
    return [v.grad for v in inputs]
