/* Overwriting: copy_, fill_, and with what was computed beside. What was there before gets the gradient 0. */
#include "ops/fill.h"

#include "ops/elementwise.h"
#include "ops/rewrite.h"

typedef struct {
    pg_dtype dtype; /* of the source */
    int ndim;
    int64_t shape[PG_MAX_DIMS];
} overwrite_params;

static pg_status overwrite_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const overwrite_params *const source = node->params;
    pg_tensor *const g = grads[0];
    if (pg_wants(node, 0))
        out[0] = pg_tensor_zeros(g->dtype, g->ndim, g->shape);
    if (node->n_edges > 1 && pg_wants(node, 1)) {
        pg_tensor *const sum = pg_sum_to_shape(g, source->ndim, source->shape);
        out[1] = pg_tensor_to(sum, source->dtype);
        pg_tensor_release(sum);
    }
    return pg_done(node, out);
}

static const pg_function copy_function = {.name = "CopyBackwards", .is_whole = true, .backward = overwrite_backward};
static const pg_function fill_function = {.name = "Fill", .backward = overwrite_backward};

/* self overwritten with values, of its shape and dtype, which depend on source[n - 1] where n is 2. */
static pg_tensor *overwritten(const pg_function *function, pg_tensor *self, pg_tensor *values, int n, pg_tensor *source)
{
    pg_tensor *const inputs[] = {self, source};
    if (values != NULL && pg_is_float(self->dtype) && pg_records(n, inputs)) {
        pg_node *const node = pg_node_new(function, n, inputs, 0, 1, sizeof(overwrite_params));
        if (node != NULL && n > 1) {
            overwrite_params *const params = node->params;
            *params = (overwrite_params){.dtype = source->dtype, .ndim = source->ndim};
            memcpy(params->shape, source->shape, (size_t)source->ndim * sizeof *params->shape);
        }
        values = pg_attach(values, node);
    }
    pg_tensor *const out = values == NULL ? NULL : pg_rewrite(self, values);
    pg_tensor_release(values);
    return out;
}

pg_tensor *pg_tensor_copy_(pg_tensor *self, pg_tensor *source)
{
    if (self == NULL || source == NULL || pg_check_in_place("copy_", self) != PG_OK)
        return NULL;
    pg_tensor *values = pg_tensor_empty(self->dtype, self->ndim, self->shape);
    if (values != NULL && pg_tensor_assign(values, source) != PG_OK) {
        pg_tensor_release(values);
        return NULL;
    }
    return overwritten(&copy_function, self, values, 2, source);
}

pg_status pg_number_for(const char *op, pg_number *number, int dtype)
{
    const double real = number->real;
    const bool is_real = number->kind == PG_FLOAT64;
    if (dtype == PG_BOOL) {
        *number = (pg_number){.kind = PG_BOOL, .integer = is_real ? real != 0 : number->integer != 0};
    } else if (is_real && !pg_is_float(dtype)) {
        if (!(real >= -0x1p63 && real < 0x1p63))
            return pg_fail(PG_BAD_STATE, "%s: value %g cannot be converted to type %s without overflow", op, real,
                           pg_dtype_name[dtype]);
        *number = (pg_number){.kind = PG_INT64, .real = (double)(int64_t)real, .integer = (int64_t)real};
    }
    return PG_OK;
}

pg_tensor *pg_tensor_fill_(pg_tensor *self, pg_operand value)
{
    char slot[8];
    if (self == NULL || pg_check_in_place("fill_", self) != PG_OK)
        return NULL;
    if (value.tensor != NULL) {
        if (value.tensor->ndim == 0)
            return pg_tensor_copy_(self, value.tensor);
        pg_fail(PG_BAD_STATE, "fill_: the value has to be a number or a tensor without dimensions, not one of shape %s",
                PG_SHAPE(value.tensor));
        return NULL;
    }
    if (pg_number_for("fill_", &value.number, self->dtype) != PG_OK)
        return NULL;
    if (pg_number_store("fill_", value.number, self->dtype, slot) != PG_OK)
        return NULL;
    pg_tensor *const one = pg_tensor_empty(self->dtype, 0, NULL), *values = NULL;
    if (one != NULL) {
        memcpy(one->data, slot, pg_itemsize[self->dtype]);
        values = pg_tensor_empty(self->dtype, self->ndim, self->shape);
    }
    if (values != NULL)
        pg_tensor_assign(values, one);
    pg_tensor_release(one);
    return overwritten(&fill_function, self, values, 1, NULL);
}

pg_tensor *pg_put_in_place(const char *op, pg_tensor *self, pg_tensor *values)
{
    if (self == NULL || values == NULL || pg_check_in_place_result(op, self, values->dtype, 1, &values) != PG_OK)
        return NULL;
    if (values->flags & PG_REQUIRES_GRAD)
        return pg_rewrite(self, values);
    pg_tensor *const converted = pg_tensor_to(values, self->dtype);
    pg_tensor *const fresh = converted == NULL ? NULL : pg_tensor_detach(converted);
    pg_tensor_release(converted);
    return overwritten(&fill_function, self, fresh, 1, NULL);
}
