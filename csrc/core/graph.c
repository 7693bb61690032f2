/* The C library's own host: reference-counted cells from a pool per graph, and the builders. */
#include "core/node.h"
#include "core/pool.h"
#include "ops/nary.h"

#include <stddef.h>

typedef struct {
    int64_t refs;
    pg_value v;
} pg_cell;

struct pg_graph {
    pg_pool pool;
    pg_value **owned; /* values that live until pg_clear, each with one reference */
    int64_t count, capacity;
    pg_status status;
};

static inline pg_cell *cell_of(pg_value *v)
{
    return (pg_cell *)((char *)v - offsetof(pg_cell, v));
}

#define PG_HOST_DROP(u) (--cell_of(u)->refs == 0)
#include "core/release.h"

pg_value *pg_retain(pg_value *v)
{
    if (v != NULL)
        cell_of(v)->refs++;
    return v;
}

static void free_all(pg_graph *g, pg_value *pending)
{
    while (pending != NULL) {
        pg_value *dead = pg_pop(&pending);
        release_inputs(dead, &pending);
        pg_pool_give(&g->pool, cell_of(dead));
    }
}

void pg_release(pg_graph *g, pg_value *v)
{
    pg_value *pending = NULL;
    if (v != NULL)
        drop_input(v, &pending);
    free_all(g, pending);
}

pg_graph *pg_graph_new(void)
{
    pg_graph *g = pg_alloc(sizeof *g);
    if (g != NULL)
        *g = (pg_graph){.pool = {.cell = sizeof(pg_cell)}};
    return g;
}

void pg_clear(pg_graph *g)
{
    while (g->count > 0)
        pg_release(g, g->owned[--g->count]);
    g->status = PG_OK;
}

void pg_graph_free(pg_graph *g)
{
    if (g == NULL)
        return;
    pg_clear(g);
    pg_pool_destroy(&g->pool);
    pg_free(g->owned, (size_t)g->capacity * sizeof *g->owned);
    pg_free(g, sizeof *g);
}

pg_status pg_graph_status(const pg_graph *g)
{
    return g->status;
}

/* NULL, to return from a builder, after making the graph remember its first failure. */
static pg_value *failed(pg_graph *g, pg_status status)
{
    if (g->status == PG_OK)
        g->status = status;
    return NULL;
}

/* An input is NULL: either its builder failed, and left the message, or the caller has never had one. */
static pg_value *missing_input(pg_graph *g, const char *op)
{
    if (g->status == PG_OK)
        pg_fail(PG_BAD_ARGUMENT, "%s: an input is NULL", op);
    return failed(g, PG_BAD_ARGUMENT);
}

static bool reserve(pg_graph *g)
{
    if (g->count < g->capacity)
        return true;
    size_t capacity = g->capacity > 0 ? 2 * (size_t)g->capacity : 256, bytes;
    pg_value **owned = pg_alloc_array(capacity, sizeof *owned, 0, &bytes);
    if (owned == NULL)
        return false;
    if (g->count > 0)
        memcpy(owned, g->owned, (size_t)g->count * sizeof *owned);
    pg_free(g->owned, (size_t)g->capacity * sizeof *owned);
    g->owned = owned;
    g->capacity = (int64_t)capacity;
    return true;
}

/* A value that the graph owns, for the caller to fill in. */
static pg_value *new_value(pg_graph *g)
{
    pg_cell *cell = reserve(g) ? pg_pool_take(&g->pool) : NULL;
    if (cell == NULL)
        return failed(g, PG_NO_MEMORY);
    cell->refs = 1;
    g->owned[g->count++] = &cell->v;
    return &cell->v;
}

/* ---- builders ---------------------------------------------------------------------------------------------------- */

pg_value *pg_leaf(pg_graph *g, double data)
{
    pg_value *v = new_value(g);
    if (v != NULL)
        pg_set_leaf(v, data);
    return v;
}

static bool is_row(int op, int arity)
{
    const pg_op_info *row = pg_op_row(op);
    if (row != NULL && row->arity == arity)
        return true;
    pg_fail(PG_BAD_ARGUMENT, "op %d is not a row of the op table that takes %d input%s", op, arity,
            arity == 1 ? "" : "s");
    return false;
}

pg_value *pg_unary(pg_graph *g, int op, pg_value *a)
{
    if (!is_row(op, 1))
        return failed(g, PG_BAD_ARGUMENT);
    if (a == NULL)
        return missing_input(g, pg_op_row(op)->name);
    pg_value *v = new_value(g);
    if (v != NULL)
        pg_set_unary(v, (uint8_t)op, pg_op_value(op, a->data, 0.0), pg_retain(a));
    return v;
}

pg_value *pg_binary(pg_graph *g, int op, pg_value *a, pg_value *b)
{
    if (!is_row(op, 2))
        return failed(g, PG_BAD_ARGUMENT);
    if (a == NULL || b == NULL)
        return missing_input(g, pg_op_row(op)->name);
    pg_value *v = new_value(g);
    if (v != NULL)
        pg_set_binary(v, (uint8_t)op, pg_op_value(op, a->data, b->data), pg_retain(a), pg_retain(b));
    return v;
}

pg_value *pg_binary_number(pg_graph *g, int op, pg_value *a, double b)
{
    if (!is_row(op, 2))
        return failed(g, PG_BAD_ARGUMENT);
    if (a == NULL)
        return missing_input(g, pg_op_row(op)->name);
    pg_value *v = new_value(g);
    if (v != NULL)
        pg_set_binary_number(v, (uint8_t)op, pg_op_value(op, a->data, b), pg_retain(a), b);
    return v;
}

pg_value *pg_number_binary(pg_graph *g, int op, double a, pg_value *b)
{
    if (!is_row(op, 2))
        return failed(g, PG_BAD_ARGUMENT);
    if (b == NULL)
        return missing_input(g, pg_op_row(op)->name);
    pg_value *v = new_value(g);
    if (v != NULL)
        pg_set_number_binary(v, (uint8_t)op, pg_op_value(op, a, b->data), a, pg_retain(b));
    return v;
}

static bool is_count(pg_graph *g, const char *op, int64_t n)
{
    if (n >= 0)
        return true;
    failed(g, pg_fail(PG_BAD_ARGUMENT, "%s: %lld inputs", op, (long long)n));
    return false;
}

/* inputs[n], and `last` behind them when it is not NULL, each retained */
static pg_block *block_of(pg_graph *g, const char *op, int64_t n, pg_value *const *inputs, pg_value *last)
{
    if (!is_count(g, op, n))
        return NULL;
    for (int64_t i = 0; i < n; i++)
        if (inputs[i] == NULL) {
            missing_input(g, op);
            return NULL;
        }
    pg_block *block = pg_block_new(n + (last != NULL), false);
    if (block == NULL) {
        failed(g, PG_NO_MEMORY);
        return NULL;
    }
    pg_value **items = pg_block_inputs(block);
    for (int64_t i = 0; i < n; i++)
        items[i] = pg_retain(inputs[i]);
    if (last != NULL)
        items[n] = pg_retain(last);
    return block;
}

static pg_block *block_of_numbers(pg_graph *g, const char *op, int64_t n, const double *numbers)
{
    pg_block *block = is_count(g, op, n) ? pg_block_new(n, true) : NULL;
    if (block == NULL)
        failed(g, PG_NO_MEMORY);
    else if (n > 0)
        memcpy(pg_block_numbers(block), numbers, (size_t)n * sizeof *numbers);
    return block;
}

static void drop_block(pg_graph *g, pg_block *block)
{
    pg_value *pending = NULL;
    if (block != NULL)
        release_block(block, &pending);
    free_all(g, pending);
}

static pg_value *over_blocks(pg_graph *g, int op, double data, pg_block *x, pg_block *w)
{
    pg_value *v = new_value(g);
    if (v != NULL) {
        pg_set_blocks(v, op, data, x, w);
        return v;
    }
    drop_block(g, x);
    drop_block(g, w);
    return NULL;
}

pg_value *pg_sum(pg_graph *g, int64_t n, pg_value *const *v)
{
    pg_block *x = block_of(g, "sum", n, v, NULL);
    return x == NULL ? NULL : over_blocks(g, PG_SUM, pg_sum_value(x), x, NULL);
}

pg_value *pg_logsumexp(pg_graph *g, int64_t n, pg_value *const *v)
{
    pg_block *x = block_of(g, "logsumexp", n, v, NULL);
    return x == NULL ? NULL : over_blocks(g, PG_LOGSUMEXP, pg_logsumexp_value(x), x, NULL);
}

pg_value *pg_custom(pg_graph *g, double data, int64_t n, pg_value *const *inputs, const double *local_gradients)
{
    pg_block *x = block_of(g, "custom", n, inputs, NULL);
    pg_block *d = x == NULL ? NULL : block_of_numbers(g, "custom", n, local_gradients);
    if (d == NULL) {
        drop_block(g, x);
        return NULL;
    }
    return over_blocks(g, PG_CUSTOM, data, x, d);
}

/* Takes x. `bias` is NULL for none. */
static pg_value *fused(pg_graph *g, const char *op, int activation, pg_block *x, pg_value *const *w, pg_value *bias)
{
    if (x == NULL)
        return NULL;
    pg_block *weights = NULL;
    if (activation >= 0 && !is_row(activation, 1))
        failed(g, PG_BAD_ARGUMENT);
    else
        weights = block_of(g, op, x->n, w, bias);
    if (weights == NULL) {
        drop_block(g, x);
        return NULL;
    }
    if (activation < 0)
        activation = PG_NO_ACTIVATION;
    return over_blocks(g, PG_FUSED | activation, pg_fused_value(activation, x, weights), x, weights);
}

pg_value *pg_dot(pg_graph *g, int64_t n, pg_value *const *x, pg_value *const *w)
{
    return fused(g, "dot", -1, block_of(g, "dot", n, x, NULL), w, NULL);
}

pg_value *pg_neuron(pg_graph *g, int activation, int64_t n, pg_value *const *x, pg_value *const *w, pg_value *bias)
{
    if (bias == NULL)
        return missing_input(g, "neuron");
    return fused(g, "neuron", activation, block_of(g, "neuron", n, x, NULL), w, bias);
}

pg_value *pg_neuron_numbers(pg_graph *g, int activation, int64_t n, const double *x, pg_value *const *w, pg_value *bias)
{
    if (bias == NULL)
        return missing_input(g, "neuron");
    return fused(g, "neuron", activation, block_of_numbers(g, "neuron", n, x), w, bias);
}

pg_status pg_layer(pg_graph *g, int activation, int64_t n, pg_value *const *x, const double *numbers, int64_t count,
                   pg_value *const *w, pg_value **out)
{
    pg_block *inputs = x != NULL ? block_of(g, "layer", n, x, NULL) : block_of_numbers(g, "layer", n, numbers);
    for (int64_t i = 0; i < count; i++, w += n + 1) {
        out[i] = NULL;
        if (inputs == NULL)
            continue;
        if (w[n] == NULL) {
            missing_input(g, "layer");
            continue;
        }
        inputs->refs++;
        out[i] = fused(g, "layer", activation, inputs, w, w[n]);
    }
    drop_block(g, inputs);
    return g->status;
}

pg_status pg_backward(pg_graph *g, pg_value *root)
{
    if (g->status != PG_OK)
        return g->status;
    if (root == NULL)
        return pg_fail(PG_BAD_ARGUMENT, "backward: root is NULL");
    return pg_walk_backward(root, NULL);
}
