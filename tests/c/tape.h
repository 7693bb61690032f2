/* A tape for test_fuzz: a program as an array of nodes in the order of creation. Values are computed forwards, gradients
 * in one sweep backwards, so it shares no idea of order, counting or ownership with the engine. From the engine it takes
 * the rows of the op table only, which test_ops checks.
 */
#ifndef TAPE_H
#define TAPE_H

#include "pygrad.h"

#include <math.h>
#include <stdbool.h>

enum { MOST_INPUTS = 6, MOST_EDGES = 2 * MOST_INPUTS + 1, MOST_NODES = 256 };

typedef enum {
    LEAF,
    UNARY,
    BINARY,
    BINARY_NUMBER,
    NUMBER_BINARY,
    SUM,
    LOGSUMEXP,
    DOT,
    NEURON,
    NEURON_NUMBERS,
    CUSTOM,
    KINDS
} kind;

typedef struct {
    kind kind;
    int op;                      /* a row, or -1 for a neuron without activation */
    int n;                       /* how many x, and w */
    int x[MOST_INPUTS];          /* nodes */
    int w[MOST_INPUTS + 1];      /* nodes; the last of a neuron is its bias */
    double numbers[MOST_INPUTS]; /* operands, or the derivatives of a custom op */
    double data, grad, size;     /* size: the sum of the magnitudes of the terms of grad */
    pg_value *v;
    int retained;
    bool alive;
} node;

typedef struct {
    uint64_t seed;
    pg_rng rng;
    pg_graph *g;
    node nodes[MOST_NODES];
    int count;
} program;

/* ---- values ---------------------------------------------------------------------------------------------------- */

static inline double data(const program *p, int i)
{
    return p->nodes[i].data;
}

/* volatile: a compiler for a machine with fused multiply-add must not join the two roundings */
static inline double preactivation(const program *p, const node *v)
{
    double sum = v->kind == DOT ? 0.0 : data(p, v->w[v->n]);
    for (int i = 0; i < v->n; i++) {
        volatile double product = data(p, v->w[i]) * (v->kind == NEURON_NUMBERS ? v->numbers[i] : data(p, v->x[i]));
        sum += product;
    }
    return sum;
}

static inline double log_of_sum_of_exp(const program *p, const node *v)
{
    double largest = -INFINITY, sum = 0.0;
    for (int i = 0; i < v->n; i++)
        largest = fmax(largest, data(p, v->x[i]));
    for (int i = 0; i < v->n; i++)
        sum += exp(data(p, v->x[i]) - largest);
    return v->n > 0 ? largest + log(sum) : -INFINITY;
}

static inline double value(const program *p, const node *v)
{
    double sum = 0.0;
    switch (v->kind) {
    case UNARY:
        return pg_op_value(v->op, data(p, v->x[0]), 0.0);
    case BINARY:
        return pg_op_value(v->op, data(p, v->x[0]), data(p, v->x[1]));
    case BINARY_NUMBER:
        return pg_op_value(v->op, data(p, v->x[0]), v->numbers[0]);
    case NUMBER_BINARY:
        return pg_op_value(v->op, v->numbers[0], data(p, v->x[0]));
    case SUM:
        for (int i = 0; i < v->n; i++)
            sum += data(p, v->x[i]);
        return sum;
    case LOGSUMEXP:
        return log_of_sum_of_exp(p, v);
    case DOT:
        return preactivation(p, v);
    case NEURON:
    case NEURON_NUMBERS:
        return v->op < 0 ? preactivation(p, v) : pg_op_value(v->op, preactivation(p, v), 0.0);
    default: /* a leaf, a custom op */
        return v->data;
    }
}

/* ---- gradients ------------------------------------------------------------------------------------------------- */

typedef struct {
    int input;
    double local;
} edge;

static inline int neuron_edges(const program *p, const node *v, edge *out)
{
    double slope[2] = {1.0, 0.0};
    int count = 0;
    if (v->kind != DOT && v->op >= 0)
        pg_op_gradient(v->op, 1.0, preactivation(p, v), 0.0, v->data, slope);
    for (int i = 0; i < v->n; i++) {
        const double x = v->kind == NEURON_NUMBERS ? v->numbers[i] : data(p, v->x[i]);
        out[count++] = (edge){v->w[i], slope[0] * x};
        if (v->kind != NEURON_NUMBERS)
            out[count++] = (edge){v->x[i], slope[0] * data(p, v->w[i])};
    }
    if (v->kind != DOT)
        out[count++] = (edge){v->w[v->n], slope[0]};
    return count;
}

/* The i-th softmax of the inputs, by another formula than the library's. */
static inline double softmax(const program *p, const node *v, int i)
{
    double sum = 0.0;
    for (int j = 0; j < v->n; j++)
        sum += exp(data(p, v->x[j]) - data(p, v->x[i]));
    return 1.0 / sum;
}

/* The derivatives of v by its inputs: inputs as they stand, the output as it was computed. */
static inline int edges(const program *p, const node *v, edge *out)
{
    double by[2];
    switch (v->kind) {
    case LEAF:
        return 0;
    case UNARY:
        pg_op_gradient(v->op, 1.0, data(p, v->x[0]), 0.0, v->data, by);
        out[0] = (edge){v->x[0], by[0]};
        return 1;
    case BINARY:
        pg_op_gradient(v->op, 1.0, data(p, v->x[0]), data(p, v->x[1]), v->data, by);
        out[0] = (edge){v->x[0], by[0]};
        out[1] = (edge){v->x[1], by[1]};
        return 2;
    case BINARY_NUMBER:
        pg_op_gradient(v->op, 1.0, data(p, v->x[0]), v->numbers[0], v->data, by);
        out[0] = (edge){v->x[0], by[0]};
        return 1;
    case NUMBER_BINARY:
        pg_op_gradient(v->op, 1.0, v->numbers[0], data(p, v->x[0]), v->data, by);
        out[0] = (edge){v->x[0], by[1]};
        return 1;
    case SUM:
    case LOGSUMEXP:
    case CUSTOM:
        for (int i = 0; i < v->n; i++) {
            const double local = v->kind == SUM ? 1.0 : v->kind == LOGSUMEXP ? softmax(p, v, i) : v->numbers[i];
            out[i] = (edge){v->x[i], local};
        }
        return v->n;
    default:
        return neuron_edges(p, v, out);
    }
}

static inline void tape_backward(program *p, int root)
{
    bool reached[MOST_NODES] = {false};
    edge out[MOST_EDGES];
    reached[root] = true;
    for (int i = root; i >= 0; i--) {
        const int n = reached[i] ? edges(p, &p->nodes[i], out) : 0;
        for (int e = 0; e < n; e++)
            reached[out[e].input] = true;
        if (reached[i] && p->nodes[i].kind != LEAF)
            p->nodes[i].grad = p->nodes[i].size = 0.0;
    }
    p->nodes[root].grad = p->nodes[root].size = 1.0;
    for (int i = root; i >= 0; i--) {
        const node *v = &p->nodes[i];
        const int n = reached[i] ? edges(p, v, out) : 0;
        for (int e = 0; e < n; e++) {
            p->nodes[out[e].input].grad += v->grad * out[e].local;
            p->nodes[out[e].input].size += v->size * fabs(out[e].local);
        }
    }
}

#endif
