"""Defects to plant, so that the fuzzer shows that it sees: each a line of C that is replaced by a wrong one."""

from __future__ import annotations

from typing import NamedTuple


class Defect(NamedTuple):
    """`old`, which stands once in the file, becomes `new`."""

    name: str
    path: str
    old: str
    new: str


DEFECTS = [
    # ---- values and derivatives of elementwise rows
    Defect(
        "tanh: derivative 1 - y",
        "csrc/ops/ops.def",
        "TANH(a), MUL(g, SUB(ONE, MUL(y, y)))",
        "TANH(a), MUL(g, SUB(ONE, y))",
    ),
    Defect("sub: sign of the second derivative's way", "csrc/ops/ops.def", "SUB(a, b), g, NEG(g)", "SUB(a, b), g, g"),
    Defect(
        "logsigmoid: sigmoid(a) for sigmoid(-a)", "csrc/ops/ops.def", "MUL(g, SIGMOID(NEG(a)))", "MUL(g, SIGMOID(a))"
    ),
    Defect(
        "hardtanh: gradient beyond the bounds",
        "csrc/ops/ops.def",
        "SELECT(LE(a, NUM(-1.0)), ZERO, SELECT(GE(a, ONE), ZERO, g))",
        "SELECT(LE(a, NUM(-1.0)), ZERO, g)",
    ),
    Defect(
        "maximum: the gradient of b where a is larger",
        "csrc/ops/ops.def",
        'SELECT(EQ(a, b), MUL(NUM(0.5), g), SELECT(GT(a, b), ZERO, g)), (-3.0, -0.1), (0.1, 3.0),\n       "the larger',
        'SELECT(EQ(a, b), MUL(NUM(0.5), g), SELECT(LT(a, b), ZERO, g)), (-3.0, -0.1), (0.1, 3.0),\n       "the larger',
    ),
    Defect(
        "integers: quotient towards 0",
        "csrc/kernels/integer.c",
        "a / b - (a % b != 0 && (a % b < 0) != (b < 0))",
        "a / b",
    ),
    Defect(
        "integers: remainder with the sign of a",
        "csrc/kernels/integer.c",
        "return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;",
        "return rest;",
    ),
    # ---- versions, histories, memory
    Defect(
        "in place: no version moves",
        "csrc/ops/elementwise.c",
        "        pg_bump(self);\n        return pg_tensor_retain(computed",
        "        return pg_tensor_retain(computed",
    ),
    Defect(
        "in place: the new history is not looked after",
        "csrc/ops/rewrite.c",
        "    out->node = pg_node_retain(values->node);",
        "    out->node = pg_node_retain(self->node != NULL ? self->node : values->node);",
    ),
    Defect(
        "views: nobody follows a change",
        "csrc/ops/rewrite.c",
        "        if (w == v || w->family != v->family || w->flags & PG_UNTRACKED)",
        "        if (w != v || w->family != v->family || w->flags & PG_UNTRACKED)",
    ),
    Defect(
        "views: what was overwritten keeps its gradient",
        "csrc/ops/rewrite.c",
        "            out[0] = pg_where(hidden, (pg_operand[]){PG_NUMBER_OPERAND(0), PG_TENSOR_OPERAND(g)});",
        "            out[0] = pg_tensor_retain(g);",
    ),
    Defect(
        "backward: a saved tensor's version is not looked at",
        "csrc/core/backward_run.c",
        "if (saved->tensor->storage->version == saved->version)",
        "if (saved->tensor->storage->version >= saved->version)",
    ),
    Defect(
        "accumulate: added in place to what is shared",
        "csrc/core/accumulate.c",
        "t->refs == 1 && t->storage->refs == 1 && ",
        "",
    ),
    Defect(
        "accumulate: the second gradient is lost",
        "csrc/core/accumulate.c",
        "        status = pg_add_in_place(*sum, t);\n    } else {",
        "        status = PG_OK;\n    } else {",
    ),
    Defect(
        "freed: saved matrices are not released",
        "csrc/core/exposed.h",
        "        pg_forget_exposure(t->storage);\n    pg_tensor_release(t);",
        "        pg_forget_exposure(t->storage);\n    if (t->ndim != 2)\n        pg_tensor_release(t);",
    ),
    Defect(
        "detach: still part of the family",
        "csrc/core/tensor.c",
        "        out->family = ++families;",
        "        out->family = families;",
    ),
    # ---- broadcasting and strides
    Defect(
        "broadcasting: dimensions of size 1 are not summed",
        "csrc/core/autograd.c",
        "if (i < added || (shape[i - added] == 1 && g->shape[i] != 1))",
        "if (i < added)",
    ),
    Defect(
        "iterator: outer dimensions are joined too often",
        "csrc/core/iterate.c",
        "if (outer[j] != iter->strides[inner][j] * iter->shape[inner])",
        "if (j == 0 && outer[j] != iter->strides[inner][j] * iter->shape[inner])",
    ),
    Defect(
        "promotion: of two tensors the first counts",
        "csrc/ops/promote.c",
        "of_tensors = later(of_tensors, t->dtype);",
        "of_tensors = of_tensors == NOTHING ? t->dtype : of_tensors;",
    ),
    # ---- shapes
    Defect(
        "permute: the gradient is not turned back",
        "csrc/ops/shape.c",
        "        inverse[dims[d]] = d;",
        "        inverse[d] = dims[d];",
    ),
    Defect(
        "slice: a last element too few",
        "csrc/ops/window.c",
        "(int64_t)(((uint64_t)span - 1) / stride) + 1",
        "(int64_t)((uint64_t)span / stride)",
    ),
    Defect(
        "roll: the gradient goes the same way",
        "csrc/ops/arrange.c",
        "back.by[d] = there->by[d] == 0 ? 0 : grads[0]->shape[d] - there->by[d];",
        "back.by[d] = there->by[d];",
    ),
    Defect(
        "flip: an offset too small",
        "csrc/ops/arrange.c",
        "offset += (t->shape[d] - 1) * t->strides[d];",
        "offset += (t->shape[d] - 1);",
    ),
    Defect(
        "cat: slices of the gradient all from the front",
        "csrc/ops/join.c",
        "pg_tensor_narrow(g, part->dim, part->start, part->size)",
        "pg_tensor_narrow(g, part->dim, 0, part->size)",
    ),
    Defect(
        "unbind: pieces of the wrong dimension",
        "csrc/ops/split.c",
        "pg_tensor_stack(n, parts, params->dim)",
        "pg_tensor_stack(n, parts, 0)",
    ),
    # ---- indices
    Defect(
        "setitem: what is overwritten keeps its gradient",
        "csrc/ops/index_put.c",
        "out[0] = zero == NULL ? NULL : put(grads[0], params->n, items, zero, false);",
        "out[0] = zero == NULL ? NULL : pg_tensor_retain(grads[0]);",
    ),
    Defect(
        "gather: repeated indices do not add up",
        "csrc/ops/along.c",
        "walk(sums ? adds[self->dtype] : writes",
        "walk(false ? adds[self->dtype] : writes",
    ),
    Defect(
        "sort: the gradient stays where it is",
        "csrc/ops/sort.c",
        "(i / (k * inner) * n + at[i]) * inner + i % inner",
        "(i / (k * inner) * n + i / inner % k) * inner + i % inner",
    ),
    # ---- reductions, products, rows
    Defect(
        "mean: the gradient of a sum",
        "csrc/ops/reduce_sum.c",
        "pg_tensor_binary_number(PG_OP_div, grads[0], (double)params->n)",
        "pg_tensor_binary_number(PG_OP_div, grads[0], 1.0)",
    ),
    Defect(
        "cumsum: the gradient runs forward",
        "csrc/ops/scan.c",
        "pg_running_sum(grads[0], params->dim, !params->reverse)",
        "pg_running_sum(grads[0], params->dim, params->reverse)",
    ),
    Defect(
        "var: no correction in the gradient's place",
        "csrc/ops/reduce_var.c",
        "params->freedom = fmax(0.0, (double)r.n - correction);",
        "params->freedom = fmax(0.0, (double)r.n);",
    ),
    Defect(
        "matmul: a batch of the right operand is read once",
        "csrc/ops/matmul.c",
        "job.b = (const char *)job.b + steps * stride_at(&right, i, n) * itemsize;",
        "job.b = (const char *)job.b + steps * stride_at(&right, i, n) * itemsize * (wraps || i == n - 1);",
    ),
    Defect(
        "matmul: the right operand's gradient of vectors",
        "csrc/ops/matmul.c",
        "g = pg_temp(&scope, pg_tensor_unsqueeze(g, -2));",
        "g = pg_temp(&scope, pg_tensor_unsqueeze(g, 0));",
    ),
    Defect(
        "softmax: the gradient without its sum",
        "csrc/ops/softmax_body.h",
        "dx[i] = y[i] * (g[i] - (T)sum);",
        "dx[i] = y[i] * g[i];",
    ),
    Defect(
        "layer_norm: the gradient without a mean",
        "csrc/ops/norm_body.h",
        "params->centred && !params->fixed ? sums[0] / (double)n : 0.0",
        "0.0 * sums[0]",
    ),
    Defect(
        "where: the wrong branch gets the gradient",
        "csrc/ops/select.c",
        "(pg_operand[]){g, zero} : (pg_operand[]){zero, g}",
        "(pg_operand[]){zero, g} : (pg_operand[]){g, zero}",
    ),
]
