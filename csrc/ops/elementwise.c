#include "ops/elementwise.h"
#include "ops/rewrite.h"

#include "core/buffer.h"
#include "ops/rows.h"
#include "ops/rows_recorded.h"

#include <stdio.h>

/* ---- backward ---------------------------------------------------------------------------------------------------- */

typedef struct {
    char number[8];   /* the operand that is no tensor, as an element of the output's dtype */
    int8_t ndim[2];   /* of the input; -1 where it has the shape of the output */
    int64_t shapes[]; /* of those inputs, one after the other */
} elementwise_params;

/* dL/d input i before broadcasting is undone: a new reference. */
static pg_tensor *slope(const pg_node *node, int i, pg_tensor *g)
{
    const uint8_t r = pg_row_reads[node->op][i];
    if (r & PG_PASSES_G)
        return pg_tensor_retain(g);
    pg_tensor *const out = pg_tensor_empty_like(g, g->dtype);
    if (out == NULL)
        return NULL;
    const pg_tensor *const a = node->saved[0].tensor, *const b = node->saved[1].tensor,
                           *const y = node->saved[2].tensor;
    /* What is not read may be anything: g, which disturbs no loop. */
    const bool a_is_number = (r & PG_READS_A) && a == NULL, b_is_number = (r & PG_READS_B) && b == NULL;
    const pg_tensor *const operands[] = {out, g, r & PG_READS_A ? a : g, r & PG_READS_B ? b : g,
                                         r & PG_READS_Y ? y : g};
    pg_iter iter;
    pg_iter_start(&iter, g->ndim, g->shape, 5, operands);
    elementwise_params *const params = node->params;
    if (a_is_number)
        iter.data[2] = params->number;
    if (b_is_number)
        iter.data[3] = params->number;
    pg_iter_run(&iter, pg_loops_for(g->dtype, node->op)->gradient[i], NULL);
    return out;
}

/* The same as recorded operations. */
static pg_tensor *recorded_slope(pg_node *node, int i, pg_tensor *g)
{
    const uint8_t r = pg_row_reads[node->op][i];
    if (r & PG_PASSES_G)
        return pg_tensor_retain(g);
    const elementwise_params *const params = node->params;
    const double number = g->dtype == PG_FLOAT32 ? *(const float *)params->number : *(const double *)params->number;
    pg_operand operands[2];
    for (int k = 0; k < 2; k++)
        operands[k] =
            node->saved[k].tensor != NULL ? PG_TENSOR_OPERAND(node->saved[k].tensor) : PG_NUMBER_OPERAND(number);
    pg_tensor *const y = r & PG_READS_Y ? pg_saved_output(node, 2, 0) : NULL, *out = NULL;
    if (!(r & PG_READS_Y) || y != NULL)
        out = pg_row_slope(node->op, i, g, operands[0], operands[1], y);
    pg_tensor_release(y);
    return out;
}

static pg_status elementwise_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const elementwise_params *const params = node->params;
    const int64_t *shape = params->shapes;
    for (int i = 0; i < node->n_edges; i++) {
        const int ndim = params->ndim[i];
        if (pg_wants(node, i)) {
            out[i] = pg_is_recording() ? recorded_slope(node, i, grads[0]) : slope(node, i, grads[0]);
            if (ndim >= 0 && out[i] != NULL) {
                pg_tensor *const whole = out[i];
                out[i] = pg_sum_to_shape(whole, ndim, shape);
                pg_tensor_release(whole);
            }
        }
        shape += ndim > 0 ? ndim : 0;
    }
    return pg_done(node, out);
}

static const pg_function elementwise_function = {
    .name = "elementwise", .backward = elementwise_backward, .names = pg_row_names};

static pg_tensor *recorded(int op, int arity, pg_tensor *const *inputs, const void *number, pg_tensor *out)
{
    size_t dims = 0;
    for (int i = 0; i < arity; i++)
        dims += inputs[i] != NULL && !pg_same_shape(inputs[i], out) ? inputs[i]->ndim : 0;
    pg_node *const node =
        pg_node_new(&elementwise_function, arity, inputs, 3, 1, sizeof(elementwise_params) + dims * sizeof(int64_t));
    if (node != NULL) {
        node->op = (uint8_t)op;
        elementwise_params *const params = node->params;
        memcpy(params->number, number, sizeof params->number);
        int64_t *shape = params->shapes;
        uint8_t needed = 0;
        for (int i = 0; i < arity; i++) {
            params->ndim[i] = -1;
            if (inputs[i] != NULL && !pg_same_shape(inputs[i], out)) {
                params->ndim[i] = (int8_t)inputs[i]->ndim;
                for (int k = 0; k < inputs[i]->ndim; k++)
                    *shape++ = inputs[i]->shape[k];
            }
            needed |= pg_wants(node, i) ? pg_row_reads[op][i] : 0;
        }
        if (needed & PG_READS_A)
            pg_save(node, 0, inputs[0]);
        if (needed & PG_READS_B)
            pg_save(node, 1, inputs[1]);
        if (needed & PG_READS_Y)
            pg_save(node, 2, out);
    }
    return pg_attach(out, node);
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* The dtype in which a row computes, and its loop; -1 with the message set where there is none. */
static int computing_dtype(int op, int arity, const pg_operand *operands, pg_loop **loop)
{
    int dtype = pg_result_type(arity, operands);
    if (!pg_is_float(dtype)) {
        *loop = pg_integer_loop(dtype, op);
        if (*loop != NULL)
            return dtype;
        const bool has_integers = pg_integer_loop(PG_INT64, op) != NULL;
        if (dtype == PG_BOOL && has_integers) {
            pg_fail(op == PG_OP_sub || op == PG_OP_neg ? PG_BAD_STATE : PG_BAD_TYPE,
                    "%s: not defined for bool tensors%s", pg_op_row(op)->name,
                    op == PG_OP_sub   ? ": use the `^` operator or logical_xor()"
                    : op == PG_OP_neg ? ": use the `~` operator or logical_not()"
                                      : "");
            return -1;
        }
        dtype = pg_default_dtype();
    }
    *loop = pg_loops_for(dtype, op)->value;
    return dtype;
}

bool pg_cast_operands(int n, const pg_operand *operands, pg_dtype dtype, pg_tensor **out)
{
    bool whole = true;
    for (int i = 0; i < n; i++) {
        out[i] = operands[i].tensor == NULL ? NULL : pg_tensor_to(operands[i].tensor, dtype);
        whole &= operands[i].tensor == NULL || out[i] != NULL;
    }
    for (int i = 0; i < n && !whole; i++)
        pg_tensor_release(out[i]);
    return whole;
}

pg_status pg_operands_shape(const char *op, int n, pg_tensor *const *inputs, int *ndim, int64_t *shape)
{
    pg_status status = PG_OK;
    *ndim = 0;
    for (int i = 0; i < n && status == PG_OK; i++)
        if (inputs[i] != NULL)
            status = pg_broadcast_shape(op, ndim, shape, inputs[i]->ndim, inputs[i]->shape);
    return status;
}

/* What the loop over integers has found out; `out` is given up where it divided by zero. */
static pg_tensor *unless_by_zero(int op, bool by_zero, pg_tensor *out)
{
    if (!by_zero)
        return out;
    pg_tensor_release(out);
    pg_fail(PG_BAD_STATE, "%s: ZeroDivisionError: integer division by zero", pg_op_row(op)->name);
    return NULL;
}

/* Runs the loop over inputs[arity] that have the dtype already; out NULL: a new tensor. */
static pg_tensor *computed(int op, int arity, pg_loop *loop, int dtype, pg_tensor *const *inputs, void *number,
                           pg_tensor *out)
{
    const pg_tensor *const a = inputs[0], *const b = arity > 1 ? inputs[1] : NULL, *const first = a != NULL ? a : b;
    const int64_t itemsize = pg_itemsize[dtype];
    bool by_zero = false, *const context = &by_zero;
    /* The usual case: no broadcasting, all in row-major order. */
    if (pg_is_contiguous(first) && (a == NULL || b == NULL || (pg_is_contiguous(b) && pg_same_shape(a, b)))) {
        if (out == NULL && (out = pg_tensor_empty_like(first, (pg_dtype)dtype)) == NULL)
            return NULL;
        char *const p[] = {out->data, a != NULL ? a->data : number, b != NULL ? b->data : number};
        const int64_t strides[] = {itemsize, a != NULL ? itemsize : 0, b != NULL ? itemsize : 0};
        if (out->numel > 0)
            loop(p, strides, out->numel, &context);
        return unless_by_zero(op, by_zero, out);
    }
    int64_t shape[PG_MAX_DIMS];
    int ndim;
    if (pg_operands_shape(pg_op_row(op)->name, arity, inputs, &ndim, shape) != PG_OK)
        return NULL;
    if (out == NULL && (out = pg_tensor_empty((pg_dtype)dtype, ndim, shape)) == NULL)
        return NULL;
    pg_iter iter;
    pg_iter_start(&iter, ndim, shape, 3, (const pg_tensor *[]){out, a, b});
    if (a == NULL)
        iter.data[1] = number;
    if (b == NULL) /* or there is none: loops of one operand may read it all the same */
        iter.data[2] = number;
    pg_iter_run(&iter, loop, &context);
    return unless_by_zero(op, by_zero, out);
}

/* x**2 is common and pow() slow. */
static bool is_square(int op, const pg_operand *operands)
{
    return op == PG_OP_pow && operands[1].tensor == NULL && operands[0].tensor != NULL &&
           (operands[1].number.kind == PG_FLOAT64 ? operands[1].number.real == 2.0 : operands[1].number.integer == 2);
}

static pg_status check_exponent(int op, int arity, const pg_operand *operands, int dtype)
{
    if (op == PG_OP_pow && arity == 2 && !pg_is_float(dtype) && operands[1].tensor == NULL &&
        operands[1].number.integer < 0)
        return pg_fail(PG_BAD_STATE,
                       "pow: Integers to negative integer powers are not allowed: convert to float first");
    return PG_OK;
}

pg_tensor *pg_elementwise(int op, const pg_operand *operands)
{
    pg_rows_prepare();
    int arity = pg_op_row(op)->arity;
    pg_loop *loop;
    int dtype = computing_dtype(op, arity, operands, &loop);
    if (dtype < 0 || check_exponent(op, arity, operands, dtype) != PG_OK)
        return NULL;
    if (is_square(op, operands) && dtype == operands[0].tensor->dtype && dtype != PG_BOOL) {
        op = PG_OP_square;
        arity = 1;
        loop = pg_is_float(dtype) ? pg_loops_for(dtype, op)->value : pg_integer_loop(dtype, op);
    }

    char number[8] = {0};
    pg_tensor *inputs[2] = {NULL, NULL};
    bool cast = false;
    for (int i = 0; i < arity; i++) {
        inputs[i] = operands[i].tensor;
        if (inputs[i] == NULL && pg_number_store(pg_op_row(op)->name, operands[i].number, dtype, number) != PG_OK)
            return NULL;
        cast |= inputs[i] != NULL && inputs[i]->dtype != dtype;
    }
    if (PG_UNLIKELY(cast) && !pg_cast_operands(arity, operands, (pg_dtype)dtype, inputs))
        return NULL;
    pg_tensor *out = computed(op, arity, loop, dtype, inputs, number, NULL);
    if (out != NULL && pg_records(arity, inputs) && pg_is_float(dtype))
        out = recorded(op, arity, inputs, number, out);
    for (int i = 0; i < arity && cast; i++)
        pg_tensor_release(inputs[i]);
    return out;
}

/* ---- in place ---------------------------------------------------------------------------------------------------- */

static int category(int dtype)
{
    return dtype == PG_BOOL ? 0 : pg_is_float(dtype) ? 2 : 1;
}

/* Whether writing a's elements in order could spoil elements of b that are still to be read. */
static bool overlaps(const pg_tensor *a, const pg_tensor *b)
{
    return b != NULL && a->storage == b->storage &&
           !(a->data == b->data && pg_same_shape(a, b) &&
             memcmp(a->strides, b->strides, (size_t)a->ndim * sizeof *a->strides) == 0);
}

pg_status pg_check_in_place_result(const char *op, const pg_tensor *self, int dtype, int n, pg_tensor *const *inputs)
{
    int64_t shape[PG_MAX_DIMS];
    int ndim;
    pg_status status = pg_check_in_place(op, self);
    if (status == PG_OK)
        status = pg_operands_shape(op, n, inputs, &ndim, shape);
    if (status != PG_OK)
        return status;
    if (ndim != self->ndim || memcmp(shape, self->shape, (size_t)ndim * sizeof *shape) != 0)
        return pg_fail(PG_BAD_SHAPE, "%s: output with shape %s doesn't match the broadcast shape %s", op,
                       PG_SHAPE(self), pg_shape_text(ndim, shape));
    if (category(dtype) > category(self->dtype))
        return pg_fail(PG_BAD_STATE, "%s: result type %s can't be cast to the desired output type %s", op,
                       pg_dtype_name[dtype], pg_dtype_name[self->dtype]);
    return PG_OK;
}

pg_tensor *pg_elementwise_in_place(int op, pg_tensor *self, const pg_operand *operands)
{
    const int arity = pg_op_row(op)->arity;
    pg_tensor *const other = arity > 1 ? operands[1].tensor : NULL, *const inputs[2] = {self, other};
    pg_loop *loop;
    const int dtype = computing_dtype(op, arity, operands, &loop);
    char name[32];
    snprintf(name, sizeof name, "%s_", pg_op_row(op)->name);
    if (dtype < 0 || check_exponent(op, arity, operands, dtype) != PG_OK ||
        pg_check_in_place_result(name, self, dtype, arity, inputs) != PG_OK)
        return NULL;
    const bool records = pg_records(arity, inputs);
    /* A division by zero leaves self as it was. */
    const bool may_fail =
        !pg_is_float(dtype) && (op == PG_OP_floor_divide || op == PG_OP_remainder || op == PG_OP_fmod);
    if (!records && !may_fail && dtype == self->dtype && (other == NULL || other->dtype == dtype) &&
        !overlaps(self, other)) {
        char number[8] = {0};
        if (arity > 1 && other == NULL &&
            pg_number_store(pg_op_row(op)->name, operands[1].number, dtype, number) != PG_OK)
            return NULL;
        pg_bump(self);
        return pg_tensor_retain(computed(op, arity, loop, dtype, inputs, number, self));
    }
    /* What backward reads of self is its value before. */
    pg_tensor *const before = records ? pg_copy_with_history(self) : pg_tensor_retain(self);
    if (before == NULL)
        return NULL;
    const pg_operand second = arity > 1 ? operands[1] : PG_NUMBER_OPERAND(0);
    pg_tensor *const values = pg_elementwise(op, (pg_operand[]){PG_TENSOR_OPERAND(before), second});
    pg_tensor *const out = values == NULL ? NULL : pg_rewrite(self, values);
    pg_tensor_release(values);
    pg_tensor_release(before);
    return out;
}

pg_status pg_add_in_place(pg_tensor *sum, const pg_tensor *t)
{
    pg_iter iter;
    pg_iter_start(&iter, sum->ndim, sum->shape, 3, (const pg_tensor *[]){sum, sum, t});
    pg_iter_run(&iter, pg_loops_for(sum->dtype, PG_OP_add)->value, NULL);
    return PG_OK;
}

/* ---- the public forms -------------------------------------------------------------------------------------------- */

pg_tensor *pg_tensor_unary(int op, pg_tensor *a)
{
    return a == NULL ? NULL : pg_elementwise(op, (pg_operand[]){{.tensor = a}, {.tensor = NULL}});
}

pg_tensor *pg_tensor_binary(int op, pg_tensor *a, pg_tensor *b)
{
    return a == NULL || b == NULL ? NULL : pg_elementwise(op, (pg_operand[]){{.tensor = a}, {.tensor = b}});
}

pg_tensor *pg_tensor_binary_number(int op, pg_tensor *a, double b)
{
    return a == NULL ? NULL : pg_elementwise(op, (pg_operand[]){{.tensor = a}, {.number = pg_real(b)}});
}

pg_tensor *pg_tensor_number_binary(int op, double a, pg_tensor *b)
{
    return b == NULL ? NULL : pg_elementwise(op, (pg_operand[]){{.number = pg_real(a)}, {.tensor = b}});
}
