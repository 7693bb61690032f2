/* Multi-layer perceptrons of scalar values, for programs in C. */
#include "core/alloc.h"
#include "core/status.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

struct pg_mlp {
    pg_graph *g;
    int depth, hidden, output;
    int64_t count;     /* parameters */
    int64_t width;     /* the widest layer, inputs included */
    pg_value **params; /* [count] */
    double *draws;     /* [width]: weights of the neuron being made */
    size_t params_bytes, draws_bytes;
    int64_t sizes[]; /* [depth + 1] */
};

static bool measure(int depth, const int64_t *sizes, int64_t *count, int64_t *width)
{
    *count = *width = 0;
    if (depth < 1) {
        pg_fail(PG_BAD_ARGUMENT, "mlp: depth has to be 1 or more, not %d", depth);
        return false;
    }
    for (int layer = 0; layer <= depth; layer++) {
        const int64_t n = sizes[layer];
        int64_t params = 0;
        if (n < 1) {
            pg_fail(PG_BAD_ARGUMENT, "mlp: layer sizes have to be 1 or more, not %lld", (long long)n);
            return false;
        }
        if (layer > 0 &&
            (__builtin_add_overflow(sizes[layer - 1], 1, &params) || __builtin_mul_overflow(params, n, &params) ||
             __builtin_add_overflow(*count, params, count))) {
            pg_no_memory(SIZE_MAX);
            return false;
        }
        *width = n > *width ? n : *width;
    }
    return true;
}

static pg_mlp *allocate(pg_graph *g, int depth, const int64_t *sizes)
{
    int64_t count, width;
    if (!measure(depth, sizes, &count, &width))
        return NULL;
    size_t bytes;
    pg_mlp *mlp = pg_alloc_array((size_t)depth + 1, sizeof *sizes, sizeof *mlp, &bytes);
    if (mlp == NULL)
        return NULL;
    *mlp = (pg_mlp){.g = g, .depth = depth, .width = width};
    memcpy(mlp->sizes, sizes, ((size_t)depth + 1) * sizeof *sizes);
    mlp->params = pg_alloc_array((size_t)count, sizeof *mlp->params, 0, &mlp->params_bytes);
    mlp->draws = mlp->params == NULL ? NULL : pg_alloc_array((size_t)width, sizeof(double), 0, &mlp->draws_bytes);
    if (mlp->draws == NULL) {
        pg_mlp_free(mlp);
        return NULL;
    }
    return mlp;
}

static bool draw_neuron(pg_mlp *mlp, pg_rng *rng, int64_t fan_in)
{
    pg_rng_normal(rng, 0.0, sqrt(2.0 / (double)fan_in), fan_in, mlp->draws);
    for (int64_t i = 0; i <= fan_in; i++) {
        pg_value *p = pg_leaf(mlp->g, i < fan_in ? mlp->draws[i] : 0.0);
        if (p == NULL)
            return false;
        mlp->params[mlp->count++] = pg_retain(p);
    }
    return true;
}

pg_mlp *pg_mlp_new(pg_graph *g, int depth, const int64_t *sizes, int hidden, int output, uint64_t seed)
{
    pg_mlp *mlp = allocate(g, depth, sizes);
    if (mlp == NULL)
        return NULL;
    mlp->hidden = hidden;
    mlp->output = output;
    pg_rng rng;
    pg_rng_seed(&rng, seed);
    for (int layer = 1; layer <= depth; layer++)
        for (int64_t neuron = 0; neuron < sizes[layer]; neuron++)
            if (!draw_neuron(mlp, &rng, sizes[layer - 1])) {
                pg_mlp_free(mlp);
                return NULL;
            }
    return mlp;
}

void pg_mlp_free(pg_mlp *mlp)
{
    if (mlp == NULL)
        return;
    for (int64_t i = 0; i < mlp->count; i++)
        pg_release(mlp->g, mlp->params[i]);
    pg_free(mlp->params, mlp->params_bytes);
    pg_free(mlp->draws, mlp->draws_bytes);
    pg_free(mlp, sizeof *mlp + ((size_t)mlp->depth + 1) * sizeof *mlp->sizes);
}

pg_value *const *pg_mlp_parameters(const pg_mlp *mlp, int64_t *count)
{
    *count = mlp->count;
    return mlp->params;
}

/* The neuron written out: bias + w[0] x[0] + ... in this order, then the activation. `x` is NULL for numbers. */
static pg_value *written_out(pg_graph *g, int activation, int64_t n, pg_value *const *x, const double *numbers,
                             pg_value *const *w)
{
    pg_value *sum = w[n];
    for (int64_t i = 0; i < n; i++)
        sum = pg_add(g, sum, x != NULL ? pg_mul(g, w[i], x[i]) : pg_binary_number(g, PG_OP_mul, w[i], numbers[i]));
    return activation < 0 ? sum : pg_unary(g, activation, sum);
}

pg_status pg_mlp_forward(pg_graph *g, const pg_mlp *mlp, int fused, const double *x, pg_value **out)
{
    size_t bytes;
    pg_value **layers[2]; /* inputs and outputs of a layer, taking turns */
    layers[0] = pg_alloc_array((size_t)mlp->width, 2 * sizeof **layers, 0, &bytes);
    if (layers[0] == NULL)
        return PG_NO_MEMORY;
    layers[1] = layers[0] + mlp->width;

    pg_value *const *w = mlp->params;
    pg_value **inputs = NULL;
    for (int layer = 1; layer <= mlp->depth; layer++) {
        const int64_t n = mlp->sizes[layer - 1];
        const bool last = layer == mlp->depth;
        pg_value **outputs = last ? out : layers[layer & 1];
        const int activation = last ? mlp->output : mlp->hidden;
        if (fused)
            pg_layer(g, activation, n, inputs, x, mlp->sizes[layer], w, outputs);
        for (int64_t i = 0; i < mlp->sizes[layer]; i++, w += n + 1)
            if (!fused)
                outputs[i] = written_out(g, activation, n, inputs, x, w);
        inputs = outputs;
    }
    pg_free(layers[0], bytes);
    return pg_graph_status(g);
}

/* ---- the loss of a batch ----------------------------------------------------------------------------------------- */

static pg_value *point_loss(pg_graph *g, pg_mlp_criterion criterion, pg_value *output, double y)
{
    if (criterion == PG_LOSS_BCE_WITH_LOGITS)
        return pg_binary_number(g, PG_OP_bce_with_logits, output, y);
    pg_value *margin = pg_binary_number(g, PG_OP_mul, output, -y);
    return pg_relu(g, pg_binary_number(g, PG_OP_add, margin, 1.0));
}

/* v[0] + v[1] + ..., written out as Python's sum() does it, from the number 0 on. */
static pg_value *total(pg_graph *g, int fused, int64_t n, pg_value *const *v)
{
    if (fused)
        return pg_sum(g, n, v);
    pg_value *sum = pg_binary_number(g, PG_OP_add, v[0], 0.0);
    for (int64_t i = 1; i < n; i++)
        sum = pg_add(g, sum, v[i]);
    return sum;
}

static pg_value *squares(pg_graph *g, int fused, int64_t n, pg_value *const *v)
{
    if (fused)
        return pg_dot(g, n, v, v);
    pg_value *sum = pg_binary_number(g, PG_OP_add, pg_mul(g, v[0], v[0]), 0.0);
    for (int64_t i = 1; i < n; i++)
        sum = pg_add(g, sum, pg_mul(g, v[i], v[i]));
    return sum;
}

pg_value *pg_mlp_loss(pg_graph *g, const pg_mlp *mlp, int fused, pg_mlp_criterion criterion, double alpha, int64_t n,
                      const double *x, const double *y)
{
    if (n < 1 || mlp->sizes[mlp->depth] != 1) {
        pg_fail(PG_BAD_ARGUMENT, "mlp_loss: %lld points and %lld outputs, not at least 1 and exactly 1", (long long)n,
                (long long)mlp->sizes[mlp->depth]);
        return NULL;
    }
    size_t bytes;
    pg_value **losses = pg_alloc_array((size_t)n, sizeof *losses, 0, &bytes);
    if (losses == NULL)
        return NULL;
    pg_value *output = NULL;
    for (int64_t i = 0; i < n; i++) {
        if (pg_mlp_forward(g, mlp, fused, x + i * mlp->sizes[0], &output) != PG_OK)
            output = NULL;
        losses[i] = point_loss(g, criterion, output, y[i]);
    }
    pg_value *loss = pg_binary_number(g, PG_OP_mul, total(g, fused, n, losses), 1.0 / (double)n);
    pg_free(losses, bytes);
    if (alpha != 0.0)
        loss = pg_add(g, loss, pg_binary_number(g, PG_OP_mul, squares(g, fused, mlp->count, mlp->params), alpha));
    return loss;
}
