#include "ops/select.h"

#include "core/autograd.h"
#include "kernels/select.h"
#include "ops/elementwise.h"

#include <math.h>

/* Undoes broadcasting: gives up `whole` for its sum over what was added to the shape of an input. */
static pg_tensor *summed(pg_tensor *whole, int ndim, const int64_t *shape)
{
    pg_tensor *const out = pg_sum_to_shape(whole, ndim, shape);
    pg_tensor_release(whole);
    return out;
}

typedef struct {
    int ndim;
    int64_t shape[PG_MAX_DIMS];
} input_shape;

static void remember_shape(input_shape *shape, const pg_tensor *t)
{
    shape->ndim = t == NULL ? 0 : t->ndim;
    for (int k = 0; k < shape->ndim; k++)
        shape->shape[k] = t->shape[k];
}

/* ---- where ------------------------------------------------------------------------------------------------------- */

static pg_status where_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const input_shape *const shapes = node->params;
    const pg_operand g = PG_TENSOR_OPERAND(grads[0]), zero = PG_NUMBER_OPERAND(0);
    for (int i = 0; i < 2; i++)
        if (pg_wants(node, i))
            out[i] = summed(pg_where(node->saved[0].tensor, i == 0 ? (pg_operand[]){g, zero} : (pg_operand[]){zero, g}),
                            shapes[i].ndim, shapes[i].shape);
    return pg_done(node, out);
}

static const pg_function where_function = {.name = "Where", .backward = where_backward};

static pg_tensor *where_values(pg_tensor *condition, pg_tensor *const *inputs, char (*numbers)[8], pg_dtype dtype)
{
    int64_t shape[PG_MAX_DIMS];
    int ndim;
    pg_tensor *const all[] = {condition, inputs[0], inputs[1]};
    if (pg_operands_shape("where", 3, all, &ndim, shape) != PG_OK)
        return NULL;
    pg_tensor *const out = pg_tensor_empty(dtype, ndim, shape);
    if (out == NULL)
        return NULL;
    pg_iter iter;
    pg_iter_start(&iter, ndim, shape, 4, (const pg_tensor *[]){out, condition, inputs[0], inputs[1]});
    for (int i = 0; i < 2; i++)
        if (inputs[i] == NULL)
            iter.data[i + 2] = numbers[i];
    pg_iter_run(&iter, pg_where_loop(pg_itemsize[dtype]), NULL);
    return out;
}

pg_tensor *pg_where(pg_tensor *condition, const pg_operand *operands)
{
    if (condition->dtype != PG_BOOL) {
        pg_fail(PG_BAD_STATE, "where: the condition has to be a bool tensor, not one of dtype %s",
                pg_dtype_name[condition->dtype]);
        return NULL;
    }
    const pg_dtype dtype = pg_result_type(2, operands);
    char numbers[2][8];
    for (int i = 0; i < 2; i++)
        if (operands[i].tensor == NULL && pg_number_store("where", operands[i].number, dtype, numbers[i]) != PG_OK)
            return NULL;
    pg_tensor *inputs[2];
    if (!pg_cast_operands(2, operands, dtype, inputs))
        return NULL;
    pg_tensor *out = where_values(condition, inputs, numbers, dtype);
    if (out != NULL && pg_is_float(dtype) && pg_records(2, inputs)) {
        pg_node *const node = pg_node_new(&where_function, 2, inputs, 1, 1, 2 * sizeof(input_shape));
        for (int i = 0; i < 2 && node != NULL; i++)
            remember_shape((input_shape *)node->params + i, inputs[i]);
        pg_save(node, 0, condition);
        out = pg_attach(out, node);
    }
    pg_tensor_release(inputs[0]);
    pg_tensor_release(inputs[1]);
    return out;
}

pg_tensor *pg_tensor_where(pg_tensor *condition, pg_tensor *a, pg_tensor *b)
{
    if (condition == NULL || a == NULL || b == NULL)
        return NULL;
    return pg_where(condition, (pg_operand[]){PG_TENSOR_OPERAND(a), PG_TENSOR_OPERAND(b)});
}

/* ---- clamp ------------------------------------------------------------------------------------------------------- */

typedef struct {
    input_shape shapes[3];
    char numbers[3][8]; /* the bounds that are no tensors, missing ones included */
} clamp_params;

/* Runs a loop over out and operands[n], of which NULL ones are numbers. */
static void run_with_numbers(pg_loop *loop, pg_tensor *out, int n, const pg_tensor *const *operands,
                             char *const *numbers)
{
    const pg_tensor *all[PG_OPERANDS] = {out};
    pg_iter iter;
    for (int i = 0; i < n; i++)
        all[i + 1] = operands[i];
    pg_iter_start(&iter, out->ndim, out->shape, n + 1, all);
    for (int i = 0; i < n; i++)
        if (operands[i] == NULL)
            iter.data[i + 1] = numbers[i];
    pg_iter_run(&iter, loop, NULL);
}

/* Where the bound was taken: x < low and not (high < low), or x > high or high < low. */
static pg_tensor *bound_slope(const pg_node *node, int which, pg_tensor *g)
{
    clamp_params *const params = node->params;
    pg_tensor *const x = node->saved[0].tensor, *const low = node->saved[1].tensor, *const high = node->saved[2].tensor;
    pg_operand operands[3] = {PG_TENSOR_OPERAND(x), PG_TENSOR_OPERAND(low), PG_TENSOR_OPERAND(high)};
    for (int i = 1; i < 3; i++)
        if (operands[i].tensor == NULL)
            operands[i].number =
                pg_real(x->dtype == PG_FLOAT32 ? *(float *)params->numbers[i] : *(double *)params->numbers[i]);
    pg_scope scope = {0};
    pg_tensor *const beyond =
        pg_temp(&scope, pg_compare(which == 1 ? PG_LT : PG_GT, (pg_operand[]){operands[0], operands[which]}));
    pg_tensor *taken = beyond;
    if (low != NULL || high != NULL) {
        /* With two numbers there is nothing to compare as tensors; then neither bound wants a gradient. */
        pg_tensor *const crossed = pg_temp(&scope, pg_compare(PG_LT, (pg_operand[]){operands[2], operands[1]}));
        if (beyond == NULL || crossed == NULL)
            taken = NULL;
        else if (which == 2)
            taken = pg_temp(&scope, pg_compare(PG_LOGICAL_OR,
                                               (pg_operand[]){PG_TENSOR_OPERAND(beyond), PG_TENSOR_OPERAND(crossed)}));
        else /* beyond and not crossed: as bools, beyond > crossed */
            taken = pg_temp(&scope,
                            pg_compare(PG_GT, (pg_operand[]){PG_TENSOR_OPERAND(beyond), PG_TENSOR_OPERAND(crossed)}));
    }
    pg_tensor *const whole =
        taken == NULL ? NULL : pg_where(taken, (pg_operand[]){PG_TENSOR_OPERAND(g), PG_NUMBER_OPERAND(0)});
    pg_scope_end(&scope);
    return summed(whole, params->shapes[which].ndim, params->shapes[which].shape);
}

/* A bound as an operand: a tensor, or the number that was kept. */
static pg_operand bound_of(const pg_node *node, int which)
{
    const clamp_params *const params = node->params;
    const void *const number = params->numbers[which];
    if (node->saved[which].tensor != NULL)
        return PG_TENSOR_OPERAND(node->saved[which].tensor);
    return PG_NUMBER_OPERAND(node->saved[0].tensor->dtype == PG_FLOAT32 ? *(const float *)number
                                                                        : *(const double *)number);
}

/* g where low <= x <= high, as recorded operations. */
static pg_tensor *inside_recorded(const pg_node *node, pg_tensor *g)
{
    const clamp_params *const params = node->params;
    const pg_operand x = PG_TENSOR_OPERAND(node->saved[0].tensor);
    pg_scope scope = {0};
    pg_tensor *const above = pg_temp(&scope, pg_compare(PG_GE, (pg_operand[]){x, bound_of(node, 1)}));
    pg_tensor *const below = pg_temp(&scope, pg_compare(PG_LE, (pg_operand[]){x, bound_of(node, 2)}));
    pg_tensor *inside = NULL, *whole = NULL;
    if (above != NULL && below != NULL)
        inside = pg_temp(
            &scope, pg_compare(PG_LOGICAL_AND, (pg_operand[]){PG_TENSOR_OPERAND(above), PG_TENSOR_OPERAND(below)}));
    if (inside != NULL)
        whole = pg_where(inside, (pg_operand[]){PG_TENSOR_OPERAND(g), PG_NUMBER_OPERAND(0)});
    pg_scope_end(&scope);
    return summed(whole, params->shapes[0].ndim, params->shapes[0].shape);
}

static pg_status clamp_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    clamp_params *const params = node->params;
    pg_tensor *const g = grads[0];
    if (pg_wants(node, 0) && pg_is_recording()) {
        out[0] = inside_recorded(node, g);
    } else if (pg_wants(node, 0)) {
        pg_tensor *const whole = pg_tensor_empty_like(g, g->dtype);
        if (whole != NULL)
            run_with_numbers(
                pg_clamp_slope_loop(g->dtype), whole, 4,
                (const pg_tensor *[]){g, node->saved[0].tensor, node->saved[1].tensor, node->saved[2].tensor},
                (char *[]){NULL, NULL, params->numbers[1], params->numbers[2]});
        out[0] = summed(whole, params->shapes[0].ndim, params->shapes[0].shape);
    }
    for (int i = 1; i < 3; i++)
        if (pg_wants(node, i))
            out[i] = bound_slope(node, i, g);
    return pg_done(node, out);
}

static const pg_function clamp_function = {.name = "Clamp", .backward = clamp_backward};

/* A bound that bounds nothing. */
static pg_number no_bound(int which, int dtype)
{
    if (pg_is_float(dtype))
        return pg_real(which == 1 ? -INFINITY : INFINITY);
    const int64_t low = dtype == PG_UINT8   ? 0
                        : dtype == PG_INT32 ? INT32_MIN
                                            : INT64_MIN,
                  high = dtype == PG_UINT8   ? UINT8_MAX
                         : dtype == PG_INT32 ? INT32_MAX
                                             : INT64_MAX;
    return (pg_number){.kind = PG_INT64, .integer = which == 1 ? low : high};
}

static pg_tensor *clamp_recorded(pg_tensor *const *inputs, char (*numbers)[8], pg_tensor *out)
{
    pg_node *const node = pg_node_new(&clamp_function, 3, inputs, 3, 1, sizeof(clamp_params));
    if (node != NULL) {
        clamp_params *const params = node->params;
        memcpy(params->numbers, numbers, sizeof params->numbers);
        for (int i = 0; i < 3; i++) {
            remember_shape(&params->shapes[i], inputs[i]);
            pg_save(node, i, inputs[i]);
        }
    }
    return pg_attach(out, node);
}

pg_tensor *pg_clamp(const pg_operand *operands, bool has_low, bool has_high)
{
    if (!has_low && !has_high) {
        pg_fail(PG_BAD_STATE, "clamp: at least one of min and max must not be None");
        return NULL;
    }
    pg_operand there[3] = {operands[0]};
    int n = 1;
    if (has_low)
        there[n++] = operands[1];
    if (has_high)
        there[n++] = operands[2];
    const pg_dtype dtype = pg_result_type(n, there);
    if (dtype == PG_BOOL) {
        pg_fail(PG_BAD_STATE, "clamp: not defined for bool tensors");
        return NULL;
    }
    const bool given[3] = {true, has_low, has_high};
    char numbers[3][8];
    for (int i = 0; i < 3; i++)
        there[i] = given[i] ? operands[i] : (pg_operand){.number = no_bound(i, dtype)};
    for (int i = 1; i < 3; i++)
        if (there[i].tensor == NULL && pg_number_store("clamp", there[i].number, dtype, numbers[i]) != PG_OK)
            return NULL;
    pg_tensor *inputs[3], *out = NULL;
    int64_t shape[PG_MAX_DIMS];
    int ndim;
    if (!pg_cast_operands(3, there, dtype, inputs))
        return NULL;
    if (pg_operands_shape("clamp", 3, inputs, &ndim, shape) == PG_OK &&
        (out = pg_tensor_empty(dtype, ndim, shape)) != NULL) {
        run_with_numbers(pg_clamp_loop(dtype), out, 3, (const pg_tensor *const *)inputs,
                         (char *[]){numbers[0], numbers[1], numbers[2]});
        if (pg_is_float(dtype) && pg_records(3, inputs))
            out = clamp_recorded(inputs, numbers, out);
    }
    for (int i = 0; i < 3; i++)
        pg_tensor_release(inputs[i]);
    return out;
}

pg_tensor *pg_tensor_clamp(pg_tensor *t, pg_tensor *low, pg_tensor *high)
{
    if (t == NULL)
        return NULL;
    return pg_clamp((pg_operand[]){PG_TENSOR_OPERAND(t), PG_TENSOR_OPERAND(low), PG_TENSOR_OPERAND(high)}, low != NULL,
                    high != NULL);
}
