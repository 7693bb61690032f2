/* Losses that go element by element: everything but the formulas. One pass forward and one backward, in blocks that
 * stay in the cache; where a loss has weights and there are none, or where one gradient is that of all elements, a
 * block of the same number takes their place, so that the kernels know no such cases. */
#include "core/exact.h"

#include "ops/compensated.h"
#include "ops/loss.h"
#include "ops/reduce.h"

enum { MOST_OPERANDS = 4 };

#define T float
#define NAME(f) f##_f32
#include "ops/loss_pointwise_body.h"

#define T double
#define NAME(f) f##_f64
#include "ops/loss_pointwise_body.h"

static const struct {
    double (*sum)(const void *losses, int64_t n);
    void (*scale)(const void *from, int64_t stride, double scale, void *block, int64_t n);
    void (*ones)(void *block);
    void (*put)(void *out, double x);
} helpers[2] = {{sum_block_f32, scale_block_f32, fill_ones_f32, put_f32},
                {sum_block_f64, scale_block_f64, fill_ones_f64, put_f64}};

/* Operands as they are walked: packed, of one dtype, or the ones that stand for what is missing. */
typedef struct {
    const char *data[MOST_OPERANDS];
    int64_t step[MOST_OPERANDS]; /* bytes from block to block */
    int n;
} operands;

typedef struct {
    const pg_loss *loss;
    double parameter;
    pg_loss_mode mode;
    int64_t numel;
    uint8_t dtype[2]; /* of input and target as they were given */
} loss_params;

typedef struct {
    _Alignas(64) char bytes[PG_LOSS_BLOCK * sizeof(double)];
} block;

static void start(operands *o, const pg_loss *loss, bool wide, const pg_tensor *const *tensors, block *ones)
{
    o->n = 2 + loss->weights;
    if (loss->weights > 0)
        helpers[wide].ones(ones->bytes);
    for (int k = 0; k < o->n; k++) {
        o->data[k] = tensors[k] != NULL ? tensors[k]->data : ones->bytes;
        o->step[k] = tensors[k] != NULL ? PG_LOSS_BLOCK * (wide ? 8 : 4) : 0;
    }
}

static void advance(operands *o)
{
    for (int k = 0; k < o->n; k++)
        o->data[k] += o->step[k];
}

static inline int64_t block_size(int64_t numel, int64_t done)
{
    return numel - done < PG_LOSS_BLOCK ? numel - done : PG_LOSS_BLOCK;
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* Fills out[2] (NULL where not wanted). g is packed: of one element, or of as many as there are. */
static void slopes(const loss_params *params, const pg_tensor *const *tensors, const pg_tensor *g,
                   pg_tensor *const *out)
{
    const bool wide = g->dtype == PG_FLOAT64;
    const int64_t itemsize = wide ? 8 : 4, stride = params->mode == PG_EACH;
    const double scale = pg_loss_scale(params->mode, (double)params->numel);
    block ones, gradient;
    operands o;
    start(&o, params->loss, wide, tensors, &ones);
    for (int64_t done = 0; done < params->numel; done += PG_LOSS_BLOCK, advance(&o)) {
        const int64_t n = block_size(params->numel, done);
        void *to[2];
        for (int k = 0; k < 2; k++)
            to[k] = out[k] != NULL ? out[k]->data + done * itemsize : NULL;
        if (stride != 0 || done == 0)
            helpers[wide].scale(g->data + done * stride * itemsize, stride, scale, gradient.bytes, n);
        params->loss->kernel[wide].slopes(n, (const void *const *)o.data, params->parameter, gradient.bytes, to);
    }
}

/* The gradients as recorded operations: those of the same loss put together of other ops. */
static pg_status backward_recorded(pg_node *node, pg_tensor *g, pg_tensor **out)
{
    const loss_params *const params = node->params;
    const int first = 2 + params->loss->weights;
    pg_scope scope = {0};
    pg_tensor *operands[2], *inputs[2], *found[2] = {NULL, NULL};
    int n = 0, which[2];
    for (int k = 0; k < 2; k++) {
        operands[k] = node->saved[first + k].tensor;
        if (pg_wants(node, k)) {
            operands[k] = pg_temp(&scope, pg_tensor_alias(operands[k]));
            which[n] = k;
            inputs[n++] = operands[k];
        }
    }
    pg_tensor *weight[MOST_OPERANDS];
    for (int k = 0; k < params->loss->weights; k++)
        weight[k] = node->saved[2 + k].tensor;
    pg_tensor *loss = NULL;
    if (operands[0] != NULL && operands[1] != NULL)
        loss = pg_temp(&scope, params->loss->composition(&scope, operands[0], operands[1], weight, params->parameter));
    if (params->mode != PG_EACH)
        loss = pg_temp(&scope, pg_tensor_sum(loss, 0, NULL, 0));
    if (params->mode == PG_MEAN)
        loss = pg_temp(&scope, pg_tensor_binary_number(PG_OP_div, loss, (double)params->numel));
    const pg_status status = loss == NULL ? pg_failure() : pg_differentiate(loss, g, n, inputs, found);
    for (int i = 0; i < n; i++)
        out[which[i]] = found[i];
    pg_scope_end(&scope);
    return status;
}

pg_status pg_pointwise_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_is_recording())
        return backward_recorded(node, grads[0], out);
    const loss_params *const params = node->params;
    const pg_tensor *tensors[MOST_OPERANDS];
    for (int k = 0; k < 2 + params->loss->weights; k++)
        tensors[k] = node->saved[k].tensor;
    pg_scope scope = {0};
    const pg_tensor *const g = pg_temp(&scope, pg_tensor_packed(grads[0]));
    pg_tensor *computed[2] = {NULL, NULL};
    bool complete = g != NULL;
    for (int k = 0; k < 2; k++)
        if (complete && pg_wants(node, k)) {
            computed[k] = pg_temp(&scope, pg_tensor_empty_like(tensors[k], tensors[k]->dtype));
            complete = computed[k] != NULL;
        }
    if (complete) {
        slopes(params, tensors, g, computed);
        for (int k = 0; k < 2; k++)
            if (computed[k] != NULL)
                out[k] = pg_tensor_cast(computed[k], params->dtype[k]);
    }
    pg_scope_end(&scope);
    return pg_done(node, out);
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

pg_status pg_check_no_gradient(const char *op, const char *what, const pg_tensor *t)
{
    if (t == NULL || !pg_grad_enabled())
        return PG_OK;
    if (pg_check_history(op, t) != PG_OK)
        return PG_BAD_STATE;
    if (!pg_tensor_requires_grad(t))
        return PG_OK;
    return pg_fail(PG_BAD_STATE, "%s: there is no gradient with respect to %s, which requires one: detach() it", op,
                   what);
}

/* t stretched to like's shape, in `dtype`, contiguous. */
static pg_tensor *prepared(pg_tensor *t, const pg_tensor *like, pg_dtype dtype)
{
    pg_scope scope = {0};
    pg_tensor *const stretched = pg_same_shape(t, like) ? t : pg_temp(&scope, pg_stretched(t, like->ndim, like->shape));
    pg_tensor *const cast = stretched != NULL ? pg_temp(&scope, pg_tensor_cast(stretched, dtype)) : NULL;
    pg_tensor *const packed = cast != NULL ? pg_tensor_packed(cast) : NULL;
    pg_scope_end(&scope);
    return packed;
}

static pg_status check(const pg_loss *loss, const pg_tensor *input, const pg_tensor *target, pg_tensor *const *weight)
{
    static const char *const what[] = {"weight", "pos_weight"};
    if (!pg_same_shape(input, target))
        return pg_fail(PG_BAD_SHAPE, "%s: input and target have to be of the same shape, not %s and %s", loss->op,
                       PG_SHAPE(input), PG_SHAPE(target));
    if (!pg_is_float(input->dtype) && !pg_is_float(target->dtype))
        return pg_fail(PG_BAD_STATE, "%s: tensors of floats are wanted, not %s and %s", loss->op,
                       pg_dtype_name[input->dtype], pg_dtype_name[target->dtype]);
    for (int k = 0; k < loss->weights; k++) {
        if (weight[k] == NULL)
            continue;
        int ndim = input->ndim;
        int64_t shape[PG_MAX_DIMS];
        memcpy(shape, input->shape, sizeof shape);
        if (pg_check_no_gradient(loss->op, what[k], weight[k]) != PG_OK ||
            pg_broadcast_shape(loss->op, &ndim, shape, weight[k]->ndim, weight[k]->shape) != PG_OK)
            return pg_failure();
        if (ndim != input->ndim || memcmp(shape, input->shape, (size_t)ndim * sizeof *shape) != 0)
            return pg_fail(PG_BAD_SHAPE, "%s: %s of shape %s does not broadcast to the input's shape %s", loss->op,
                           what[k], PG_SHAPE(weight[k]), PG_SHAPE(input));
    }
    return PG_OK;
}

static pg_tensor *values(const loss_params *params, bool wide, const pg_tensor *const *tensors)
{
    const bool each = params->mode == PG_EACH;
    const int64_t itemsize = wide ? 8 : 4;
    pg_tensor *const out =
        pg_tensor_empty(wide ? PG_FLOAT64 : PG_FLOAT32, each ? tensors[0]->ndim : 0, tensors[0]->shape);
    if (out == NULL)
        return NULL;
    block ones, losses;
    operands o;
    start(&o, params->loss, wide, tensors, &ones);
    double total = 0.0, lost = 0.0;
    for (int64_t done = 0; done < params->numel; done += PG_LOSS_BLOCK, advance(&o)) {
        const int64_t n = block_size(params->numel, done);
        void *const to = each ? out->data + done * itemsize : losses.bytes;
        params->loss->kernel[wide].values(n, (const void *const *)o.data, params->parameter, to);
        if (!each)
            pg_add_exactly(&total, &lost, helpers[wide].sum(to, n));
    }
    total = pg_whole(total, lost);
    if (!each)
        helpers[wide].put(out->data, params->mode == PG_MEAN ? total / (double)params->numel : total);
    return out;
}

pg_tensor *pg_pointwise_loss(const pg_loss *loss, pg_tensor *input, pg_tensor *target, pg_tensor *const *weight,
                             double parameter, pg_loss_mode mode)
{
    if (input == NULL || target == NULL || check(loss, input, target, weight) != PG_OK)
        return NULL;
    pg_tensor *const inputs[2] = {input, target};
    const loss_params params = {loss, parameter, mode, input->numel, {input->dtype, target->dtype}};
    const pg_dtype dtype = input->dtype > target->dtype ? input->dtype : target->dtype;
    pg_scope scope = {0};
    const pg_tensor *tensors[MOST_OPERANDS] = {NULL};
    pg_tensor *out = NULL;
    for (int k = 0; k < 2 + loss->weights; k++) {
        pg_tensor *const given = k < 2 ? inputs[k] : weight[k - 2];
        if (given != NULL && (tensors[k] = pg_temp(&scope, prepared(given, input, dtype))) == NULL)
            goto end;
    }
    out = values(&params, dtype == PG_FLOAT64, tensors);
    if (out != NULL && pg_records(2, inputs)) {
        const int first = 2 + loss->weights;
        pg_node *const node = pg_node_new(&loss->function, 2, inputs, first + 2, 1, sizeof params);
        if (node != NULL)
            memcpy(node->params, &params, sizeof params);
        for (int k = 0; k < 2 + loss->weights; k++)
            pg_save(node, k, (pg_tensor *)tensors[k]);
        for (int k = 0; k < 2; k++) /* with their histories, for a gradient that is to be differentiated */
            pg_save(node, first + k, inputs[k]);
        out = pg_attach(out, node);
    }
end:
    pg_scope_end(&scope);
    return out;
}
