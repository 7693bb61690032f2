/* Random programs against a tape of this test's own.
 *
 * A program makes leaves and nodes of every kind over values that are alive, changes leaves, differentiates from random
 * roots, retains, clears, goes on with what is left, and releases in random order.
 *
 * Values have to be equal to the bit. A gradient is a sum over paths, whose terms the engine may add in another order
 * and round a few times more or less on every edge: the bound is the sum of the terms' magnitudes (`size`) times a few
 * units in the last place per node, and for what underflowed on the way a number that is next to nothing.
 *
 * usage: test_fuzz [first seed [number of programs]]
 */
#include "check.h"
#include "tape.h"

#include <float.h>
#include <stdlib.h>

enum { PHASES = 3, NODES_PER_PHASE = 60 };

static int below(program *p, int n)
{
    return (int)(pg_rng_bits(&p->rng) % (uint64_t)n);
}

static double normal(program *p)
{
    double x;
    pg_rng_normal(&p->rng, 0.0, 1.0, 1, &x);
    return x;
}

/* ---- making programs -------------------------------------------------------------------------------------------- */

/* A node that is alive, a late one rather than an early one. */
static int choose(program *p)
{
    for (;;) {
        int a = below(p, p->count), b = below(p, p->count);
        if (p->nodes[a > b ? a : b].alive)
            return a > b ? a : b;
        if (p->nodes[a].alive)
            return a;
    }
}

static int choose_row(program *p, int arity)
{
    for (;;) {
        int op = below(p, pg_op_count());
        if (pg_op_row(op)->arity == arity)
            return op;
    }
}

static node choose_node(program *p)
{
    node v = {.kind = (kind)(1 + below(p, KINDS - 1)), .alive = true};
    v.op = v.kind == UNARY ? choose_row(p, 1) : v.kind <= NUMBER_BINARY ? choose_row(p, 2) : -1;
    if ((v.kind == NEURON || v.kind == NEURON_NUMBERS) && below(p, 4) > 0)
        v.op = choose_row(p, 1);
    v.n = v.kind == UNARY || v.kind == BINARY_NUMBER || v.kind == NUMBER_BINARY ? 1
          : v.kind == BINARY                                                    ? 2
          : v.kind == LOGSUMEXP                                                 ? 1 + below(p, MOST_INPUTS)
                                                                                : below(p, MOST_INPUTS + 1);
    for (int i = 0; i < v.n; i++) {
        v.x[i] = choose(p);
        v.w[i] = choose(p);
        v.numbers[i] = normal(p);
    }
    v.w[v.n] = choose(p);
    v.data = v.kind == CUSTOM ? normal(p) : 0.0;
    return v;
}

/* Such nodes would only drown the others in nan, inf and huge numbers. */
static bool is_tame(const program *p, const node *v)
{
    edge out[MOST_EDGES];
    const int n = edges(p, v, out);
    for (int e = 0; e < n; e++)
        if (!(fabs(out[e].local) < 30.0))
            return false;
    return fabs(v->data) < 100.0;
}

static pg_value *build(const program *p, const node *v)
{
    pg_value *x[MOST_INPUTS + 1], *w[MOST_INPUTS + 1];
    for (int i = 0; i < v->n; i++)
        x[i] = p->nodes[v->x[i]].v;
    for (int i = 0; i <= v->n; i++)
        w[i] = p->nodes[v->w[i]].v;
    switch (v->kind) {
    case UNARY:
        return pg_unary(p->g, v->op, x[0]);
    case BINARY:
        return pg_binary(p->g, v->op, x[0], x[1]);
    case BINARY_NUMBER:
        return pg_binary_number(p->g, v->op, x[0], v->numbers[0]);
    case NUMBER_BINARY:
        return pg_number_binary(p->g, v->op, v->numbers[0], x[0]);
    case SUM:
        return pg_sum(p->g, v->n, x);
    case LOGSUMEXP:
        return pg_logsumexp(p->g, v->n, x);
    case DOT:
        return pg_dot(p->g, v->n, x, w);
    case NEURON:
        return pg_neuron(p->g, v->op, v->n, x, w, w[v->n]);
    case NEURON_NUMBERS:
        return pg_neuron_numbers(p->g, v->op, v->n, v->numbers, w, w[v->n]);
    case CUSTOM:
        return pg_custom(p->g, v->data, v->n, x, v->numbers);
    default:
        return pg_leaf(p->g, v->data);
    }
}

static void add_leaf(program *p)
{
    node v = {.kind = LEAF, .data = normal(p), .alive = true};
    v.v = build(p, &v);
    p->nodes[p->count++] = v;
}

static void add_node(program *p)
{
    node v = choose_node(p);
    v.data = value(p, &v);
    if (!is_tame(p, &v)) {
        v = (node){.kind = UNARY, .op = PG_OP_tanh, .n = 1, .x = {choose(p)}, .alive = true};
        v.data = value(p, &v);
    }
    v.v = build(p, &v);
    p->nodes[p->count++] = v;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static void compare(const program *p)
{
    const double few = 16.0 * DBL_EPSILON * (p->count + MOST_EDGES);
    for (int i = 0; i < p->count; i++) {
        const node *v = &p->nodes[i];
        if (!v->alive)
            continue;
        CHECK_MESSAGE(check_same(pg_data(v->v), v->data), "seed %" PRIu64 ", node %d of kind %d: %.17g, not %.17g",
                      p->seed, i, v->kind, pg_data(v->v), v->data);
        CHECK_MESSAGE(fabs(pg_grad(v->v) - v->grad) <= few * v->size + 1e-280,
                      "seed %" PRIu64 ", gradient of node %d of kind %d: %.17g, not %.17g (size %g)", p->seed, i,
                      v->kind, pg_grad(v->v), v->grad, v->size);
    }
}

static void differentiate(program *p)
{
    const int root = choose(p);
    const pg_status status = pg_backward(p->g, p->nodes[root].v);
    CHECK_MESSAGE(status == PG_OK, "seed %" PRIu64 ": status %d, %s", p->seed, status, pg_message());
    tape_backward(p, root);
    compare(p);
}

static void nudge_a_leaf(program *p)
{
    node *v = &p->nodes[choose(p)];
    if (v->kind != LEAF)
        return;
    v->data *= 1.0 + 1.0 / 64;
    v->grad = v->size = 0.0;
    pg_set_data(v->v, v->data);
    pg_set_grad(v->v, 0.0);
}

/* ---- ownership --------------------------------------------------------------------------------------------------- */

static void retain_some(program *p, int some)
{
    for (int i = 0; i < some; i++) {
        node *v = &p->nodes[choose(p)];
        v->retained++;
        pg_retain(v->v);
    }
}

static void release_some(program *p, int of_ten)
{
    for (int i = 0; i < p->count; i++) {
        node *v = &p->nodes[below(p, p->count)];
        if (v->retained > 0 && below(p, 10) < of_ten) {
            v->retained--;
            pg_release(p->g, v->v);
        }
    }
}

/* What is left: the retained, and what they depend on. */
static void clear(program *p)
{
    edge out[MOST_EDGES];
    pg_clear(p->g);
    for (int i = 0; i < p->count; i++)
        p->nodes[i].alive = p->nodes[i].retained > 0;
    for (int i = p->count - 1; i >= 0; i--) {
        const int n = p->nodes[i].alive ? edges(p, &p->nodes[i], out) : 0;
        for (int e = 0; e < n; e++)
            p->nodes[out[e].input].alive = true;
    }
    compare(p);
}

/* In random order, until none is left. */
static void release_all(program *p)
{
    int left = 0;
    for (int i = 0; i < p->count; i++)
        left += p->nodes[i].retained;
    while (left > 0) {
        node *v = &p->nodes[below(p, p->count)];
        if (v->retained == 0)
            continue;
        v->retained--;
        left--;
        pg_release(p->g, v->v);
    }
}

static void run(program *p, pg_graph *g, uint64_t seed)
{
    *p = (program){.seed = seed, .g = g};
    pg_rng_seed(&p->rng, seed);
    for (int phase = 0; phase < PHASES; phase++) {
        for (int i = 0; i < 3; i++)
            add_leaf(p);
        for (int i = 1 + below(p, NODES_PER_PHASE); i > 0; i--)
            add_node(p);
        compare(p);
        differentiate(p);
        nudge_a_leaf(p);
        differentiate(p);
        retain_some(p, 1 + below(p, 6));
        release_some(p, 3);
        clear(p);
    }
    CHECK(pg_graph_status(g) == PG_OK);
    release_all(p);
    pg_clear(g);
}

int main(int argc, char **argv)
{
    const uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const uint64_t programs = argc > 2 ? strtoull(argv[2], NULL, 10) : CHECK_SLOW ? 4000 : 12000;
    const int64_t before = pg_live_bytes();
    static program p;
    pg_graph *g = NULL;
    for (uint64_t i = 0; i < programs; i++) {
        if (i % 100 == 0) { /* a hundred programs on a graph, to meet the memory of their predecessors */
            pg_graph_free(g);
            CHECK_MESSAGE(pg_live_bytes() == before, "%" PRId64 " bytes left before seed %" PRIu64,
                          pg_live_bytes() - before, first + i);
            g = pg_graph_new();
        }
        run(&p, g, first + i);
    }
    pg_graph_free(g);
    CHECK(pg_live_bytes() == before);
    printf("seeds %" PRIu64 " to %" PRIu64 "; ", first, first + programs - 1);
    return check_report("fuzz");
}
