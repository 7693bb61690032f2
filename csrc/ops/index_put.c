/* Writing by index: t[index] = value. */
#include "ops/index_put.h"

#include "ops/elementwise.h"
#include "ops/fill.h"
#include "ops/index.h"
#include "ops/rewrite.h"

typedef struct {
    int n;          /* items of the index, whose tensors are saved[n] */
    bool has_value; /* the value is a tensor: the second input */
    uint8_t dtype;  /* its */
    int8_t ndim;    /* its */
    int64_t shape[PG_MAX_DIMS];
    pg_index items[];
} put_params;

/* A value of shape [1, ..., 1, rest] where fewer dimensions are written to: without ones in front. */
static pg_tensor *without_ones(pg_tensor *value, int ndim)
{
    int extra = 0;
    while (value->ndim - extra > ndim && value->shape[extra] == 1)
        extra++;
    return pg_tensor_reshape(value, value->ndim - extra, value->shape + extra);
}

static pg_status fits(const pg_tensor *value, int ndim, const int64_t *shape)
{
    int joint = ndim;
    int64_t broadcast[PG_MAX_DIMS];
    memcpy(broadcast, shape, sizeof broadcast);
    if (pg_broadcast_shape("index", &joint, broadcast, value->ndim, value->shape) == PG_OK && joint == ndim &&
        memcmp(broadcast, shape, (size_t)ndim * sizeof *shape) == 0)
        return PG_OK;
    return pg_fail(PG_BAD_SHAPE,
                   "setitem: shape mismatch: a value of shape %s cannot be broadcast to the indexed shape %s",
                   PG_SHAPE(value), pg_shape_text(ndim, shape));
}

/* Writes value over the elements of out that the index picks. No history. */
static pg_status write_at(pg_tensor *out, int n, const pg_index *index, pg_tensor *value)
{
    pg_index_plan plan;
    pg_status status = pg_index_plan_make(&plan, out, n, index);
    if (status != PG_OK)
        return status;
    int64_t shape[PG_MAX_DIMS];
    int ndim = plan.window.ndim;
    memcpy(shape, plan.window.shape, sizeof shape);
    if (plan.indexed)
        ndim = pg_gather_result(&plan.gather, plan.index, shape);
    pg_scope scope = {0};
    pg_tensor *const target = pg_temp(&scope, pg_window_view(&plan.window, out));
    pg_tensor *values = pg_temp(&scope, without_ones(value, ndim));
    if (values != NULL && values->storage == out->storage)
        values = pg_temp(&scope, pg_tensor_copy(values));
    status = target == NULL || values == NULL ? pg_failure() : fits(values, ndim, shape);
    if (status == PG_OK && !plan.indexed) {
        status = pg_tensor_assign(target, values);
    } else if (status == PG_OK) {
        pg_tensor *const packed = pg_temp(&scope, pg_tensor_empty(out->dtype, ndim, shape));
        status = packed == NULL ? pg_failure() : pg_tensor_assign(packed, values);
        if (status == PG_OK)
            status = pg_gather_write(&plan.gather, target, plan.index, packed);
    }
    pg_scope_end(&scope);
    pg_index_plan_clear(&plan);
    return status;
}

/* ---- recorded: dL/dt is g with zeros there, dL/dvalue what g has there --------------------------------------------- */

static pg_tensor *put(pg_tensor *t, int n, const pg_index *index, pg_tensor *value, bool has_value);

static pg_status put_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const put_params *const params = node->params;
    pg_index items[PG_INDEX_MOST];
    for (int i = 0; i < params->n; i++) {
        items[i] = params->items[i];
        items[i].tensor = node->saved[i].tensor;
    }
    pg_scope scope = {0};
    if (pg_wants(node, 0)) {
        pg_tensor *const zero = pg_temp(&scope, pg_tensor_zeros(grads[0]->dtype, 0, NULL));
        out[0] = zero == NULL ? NULL : put(grads[0], params->n, items, zero, false);
    }
    if (params->has_value && pg_wants(node, 1)) {
        pg_tensor *const there = pg_temp(&scope, pg_tensor_index(grads[0], params->n, items));
        int extra = 0;
        while (there != NULL && params->ndim - extra > there->ndim)
            extra++;
        pg_tensor *const sum = pg_temp(&scope, pg_sum_to_shape(there, params->ndim - extra, params->shape + extra));
        pg_tensor *const whole = pg_temp(&scope, pg_tensor_reshape(sum, params->ndim, params->shape));
        out[1] = pg_tensor_to(whole, params->dtype);
    }
    pg_scope_end(&scope);
    return pg_done(node, out);
}

static const pg_function put_function = {.name = "IndexPut", .backward = put_backward};

/* A copy of t with the value written into it, recorded. */
static pg_tensor *put(pg_tensor *t, int n, const pg_index *index, pg_tensor *value, bool has_value)
{
    pg_tensor *const out = pg_tensor_copy(t), *const inputs[] = {t, value};
    if (out == NULL || write_at(out, n, index, value) != PG_OK) {
        pg_tensor_release(out);
        return NULL;
    }
    const int edges = has_value ? 2 : 1;
    if (!pg_is_float(t->dtype) || !pg_records(edges, inputs))
        return out;
    pg_node *const node =
        pg_node_new(&put_function, edges, inputs, n, 1, sizeof(put_params) + (size_t)n * sizeof *index);
    if (node != NULL) {
        put_params *const params = node->params;
        *params = (put_params){.n = n, .has_value = has_value, .dtype = value->dtype, .ndim = (int8_t)value->ndim};
        memcpy(params->shape, value->shape, (size_t)value->ndim * sizeof *params->shape);
        for (int i = 0; i < n; i++) {
            params->items[i] = index[i];
            pg_save(node, i, index[i].kind == PG_INDEX_TENSOR ? index[i].tensor : NULL);
        }
    }
    return pg_attach(out, node);
}

pg_tensor *pg_tensor_put_(pg_tensor *self, int n, const pg_index *index, pg_operand value)
{
    if (n > PG_INDEX_MOST) {
        pg_fail(PG_BAD_INDEX, "setitem: too many indices: %d, at most %d are taken", n, PG_INDEX_MOST);
        return NULL;
    }
    if (self == NULL || pg_check_in_place("setitem", self) != PG_OK)
        return NULL;
    pg_scope scope = {0};
    const bool has_value = value.tensor != NULL;
    if (!has_value) {
        value.tensor = pg_temp(&scope, pg_tensor_empty(self->dtype, 0, NULL));
        if (value.tensor == NULL || pg_number_for("setitem", &value.number, self->dtype) != PG_OK ||
            pg_number_store("setitem", value.number, self->dtype, value.tensor->data) != PG_OK) {
            pg_scope_end(&scope);
            return NULL;
        }
    }
    pg_tensor *out = NULL, *const inputs[] = {self, value.tensor};
    if (pg_records(has_value ? 2 : 1, inputs)) {
        pg_tensor *const values = pg_temp(&scope, put(self, n, index, value.tensor, has_value));
        out = values == NULL ? NULL : pg_rewrite(self, values);
    } else if (write_at(self, n, index, value.tensor) == PG_OK) {
        pg_bump(self);
        out = pg_tensor_retain(self);
    }
    pg_scope_end(&scope);
    return out;
}
