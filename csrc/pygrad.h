/* pygrad: scalar automatic differentiation in C.
 *
 * A program builds values with the functions below; every result remembers the values it was made from. `pg_backward`
 * then fills the gradient of one value with respect to every value it depends on.
 *
 *     pg_graph *g = pg_graph_new();
 *     pg_value *a = pg_leaf(g, 2.0), *b = pg_leaf(g, 3.0), *c = pg_leaf(g, 5.0);
 *     pg_value *loss = pg_mul(g, pg_add(g, a, b), c);
 *     if (pg_backward(g, loss) != PG_OK) puts(pg_message());
 *     printf("%g %g\n", pg_data(loss), pg_grad(a));            // 25 5
 *     pg_graph_free(g);
 *
 * Ownership. Every value belongs to the graph that made it until `pg_clear` or `pg_graph_free`. `pg_retain` keeps one
 * beyond that, until `pg_release`: so are parameters made. A value keeps its inputs alive.
 *
 * Errors. Functions that can fail return a status, or NULL; `pg_message` then says what happened. Given NULL for an
 * input a builder returns NULL, and the first failure of a graph is what its later `pg_backward` returns, so a whole
 * expression is checked in one place.
 *
 * Threads. A graph and its values belong to one thread at a time; different graphs are independent.
 *
 * Only declarations and enums stand here: cffi reads this file as it is, less its lines that begin with '#'.
 */
#ifndef PYGRAD_H
#define PYGRAD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- status ------------------------------------------------------------------------------------------------------ */

typedef enum {
    PG_OK = 0,
    PG_NO_MEMORY, /* an allocation failed; nothing was leaked and everything stays usable */
    PG_BAD_ARGUMENT,
    PG_BAD_SHAPE,
    PG_BAD_INDEX,
    PG_BAD_TYPE,
    PG_BAD_STATE, /* of a graph: freed, modified, without gradients */
    PG_BUSY,      /* the graph is already being walked, by a backward pass that has not returned */
    PG_HOST_ERROR /* a rule supplied by the host failed; the host knows why */
} pg_status;

/* What the last failure in this thread was; never NULL. Valid until the next failure in this thread. */
const char *pg_message(void);

/* The status of that failure. */
pg_status pg_failure(void);

/* "0.1.0"; the same as pygrad.__version__. */
const char *pg_version(void);

/* ---- allocation -------------------------------------------------------------------------------------------------- */

/* Bytes that pygrad holds at this moment, caches included. */
int64_t pg_live_bytes(void);

/* Bytes among them that the calling thread keeps for the next tensors; and giving them back to the system. */
int64_t pg_cached_bytes(void);
void pg_empty_cache(void);

/* For tests: let the nth allocation from now on (1 is the next) fail, and with `forever` every one after it too.
 * 0 ends that. */
void pg_fail_allocation(int64_t nth, int forever);

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

/* The instruction set whose kernels are in use: "generic", "avx2", "avx512" or "neon". The best that the processor has
 * is chosen at the first use; PYGRAD_ISA in the environment asks for another. */
const char *pg_isa(void);
/* The name of the set number `index` that this processor runs, slowest first; NULL beyond the last. */
const char *pg_isa_available(int index);
/* Uses the set of that name from now on, in all threads; NULL means the best. PG_BAD_ARGUMENT, the names that would do
 * in the message and nothing changed, when it is unknown or not here. */
pg_status pg_isa_use(const char *name);
/* NULL, or one line that says why PYGRAD_ISA was not obeyed, for whoever speaks to people to pass on. */
const char *pg_isa_complaint(void);

/* ---- random numbers ---------------------------------------------------------------------------------------------- */

/* Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a counter-based generator, the
 * same stream as numpy.random.Philox(key=seed). */
typedef struct {
    uint64_t key[2];
    uint64_t counter[4];
    uint64_t block[4]; /* the output of the current counter */
    int64_t used;      /* how many words of block are spent */
} pg_rng;

void pg_rng_seed(pg_rng *rng, uint64_t seed);
uint64_t pg_rng_bits(pg_rng *rng);
/* out[n]: low + (high - low) * u, u uniform on [0, 1) with 53 random bits. */
void pg_rng_uniform(pg_rng *rng, double low, double high, int64_t n, double *out);
/* out[n]: normal, by Box and Muller's transform of two uniforms each (the cosine half only). */
void pg_rng_normal(pg_rng *rng, double mean, double std, int64_t n, double *out);

/* ---- the op table ------------------------------------------------------------------------------------------------ */

typedef enum { PG_SAVES_NOTHING, PG_SAVES_INPUT, PG_SAVES_OUTPUT } pg_saves;

/* A row of ops/ops.def as data. */
typedef struct {
    const char *name;   /* as in pg_<name> and Value.<name> */
    const char *symbol; /* as in Value._op */
    const char *doc;
    int arity;           /* 1 or 2 */
    pg_saves saves;      /* what backward reads */
    double domain[2][2]; /* [input][low, high]: where the op is smooth */
} pg_op_info;

int pg_op_count(void);
/* Row `op`, 0 <= op < pg_op_count(). */
const pg_op_info *pg_op_row(int op);
/* The row of that name, or -1. */
int pg_op_find(const char *name);
/* The value of row `op`; b is not read when the arity is 1. */
double pg_op_value(int op, double a, double b);
/* dL/da and dL/db (out[2]) of row `op`, given dL/dy = g and the output y. */
void pg_op_gradient(int op, double g, double a, double b, double y, double *out);

/* ---- scalar graphs ----------------------------------------------------------------------------------------------- */

typedef struct pg_graph pg_graph;
typedef struct pg_value pg_value;

pg_graph *pg_graph_new(void);
/* Frees the graph and its values; what was retained has to be released before. */
void pg_graph_free(pg_graph *g);
/* Frees every value of the graph that is not retained, and forgets the graph's failure. */
void pg_clear(pg_graph *g);
/* The graph's first failure since it was made or cleared. */
pg_status pg_graph_status(const pg_graph *g);

pg_value *pg_retain(pg_value *v);
void pg_release(pg_graph *g, pg_value *v);

double pg_data(const pg_value *v);
double pg_grad(const pg_value *v);
void pg_set_data(pg_value *v, double data);
void pg_set_grad(pg_value *v, double grad);

pg_value *pg_leaf(pg_graph *g, double data);
/* Row `op` applied to values; pygrad_ops.h names one such function per row: pg_tanh(g, a), pg_mul(g, a, b)... */
pg_value *pg_unary(pg_graph *g, int op, pg_value *a);
pg_value *pg_binary(pg_graph *g, int op, pg_value *a, pg_value *b);
/* The same with a number on one side, which gets no gradient and costs no value. */
pg_value *pg_binary_number(pg_graph *g, int op, pg_value *a, double b);
pg_value *pg_number_binary(pg_graph *g, int op, double a, pg_value *b);

/* One value for the whole of: v[0] + ... + v[n-1]. */
pg_value *pg_sum(pg_graph *g, int64_t n, pg_value *const *v);
/* log(exp(v[0]) + ... + exp(v[n-1])), finite for all finite inputs; -inf for n = 0. */
pg_value *pg_logsumexp(pg_graph *g, int64_t n, pg_value *const *v);
/* x[0] w[0] + ... + x[n-1] w[n-1]. */
pg_value *pg_dot(pg_graph *g, int64_t n, pg_value *const *x, pg_value *const *w);
/* activation(bias + x[0] w[0] + ... + x[n-1] w[n-1]); `activation` is a unary row of the op table, or -1 for none. */
pg_value *pg_neuron(pg_graph *g, int activation, int64_t n, pg_value *const *x, pg_value *const *w, pg_value *bias);
/* The same for inputs x[n] that are numbers. */
pg_value *pg_neuron_numbers(pg_graph *g, int activation, int64_t n, const double *x, pg_value *const *w,
                            pg_value *bias);
/* out[count]: neurons that share the inputs x[n], or numbers[n] where x is NULL. The weights of each and then its bias,
 * neuron by neuron: w[count, n + 1]. */
pg_status pg_layer(pg_graph *g, int activation, int64_t n, pg_value *const *x, const double *numbers, int64_t count,
                   pg_value *const *w, pg_value **out);
/* An op of the caller's: its value, and its derivative with respect to each of its inputs. */
pg_value *pg_custom(pg_graph *g, double data, int64_t n, pg_value *const *inputs, const double *local_gradients);

/* Adds d root / d leaf to the gradient of every leaf that root depends on, and sets the gradient of every value in
 * between; the root's own becomes 1. Rules read inputs as they stand and outputs as they were computed. */
pg_status pg_backward(pg_graph *g, pg_value *root);

/* ---- optimisers over scalar parameters --------------------------------------------------------------------------- */

void pg_zero_grad(int64_t n, pg_value *const *params);

/* Stochastic gradient descent as in PyTorch:
 *     d = grad + weight_decay * p;  m = d on the first step, momentum * m + (1 - dampening) * d after;
 *     d = d + momentum * m (nesterov) or m;  p -= lr * d
 * momentum_state[n] holds m and is not read when momentum is 0; `step` counts from 1. */
typedef struct {
    double lr, momentum, dampening, weight_decay;
    int nesterov;
} pg_sgd;
void pg_sgd_step(const pg_sgd *sgd, int64_t step, int64_t n, pg_value *const *params, double *momentum_state);

/* Adam (Kingma and Ba 2015, algorithm 1), eps outside the square root of the corrected second moment:
 *     d = grad + weight_decay * p;  m = beta1 m + (1 - beta1) d;  v = beta2 v + (1 - beta2) d^2;
 *     p -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 * m[n] and v[n] start at 0; `step` is t and counts from 1. */
typedef struct {
    double lr, beta1, beta2, eps, weight_decay;
} pg_adam;
void pg_adam_step(const pg_adam *adam, int64_t step, int64_t n, pg_value *const *params, double *m, double *v);

/* ---- multi-layer perceptrons of scalar values -------------------------------------------------------------------- */

typedef struct pg_mlp pg_mlp;

/* Layers of sizes[0] -> ... -> sizes[depth]; `hidden` and `output` are activations as in pg_neuron. Biases are 0;
 * weights are drawn neuron by neuron from N(0, gain / fan_in) with rng seeded by `seed`, as pygrad.nn.MLP does with
 * init='he' (gain 2). NULL when memory is short, or depth or a size under 1. */
pg_mlp *pg_mlp_new(pg_graph *g, int depth, const int64_t *sizes, int hidden, int output, uint64_t seed);
void pg_mlp_free(pg_mlp *mlp);
/* All parameters, in order: for each layer, for each neuron, its weights and then its bias. */
pg_value *const *pg_mlp_parameters(const pg_mlp *mlp, int64_t *count);
/* out[sizes[depth]]: the outputs for the inputs x[sizes[0]]. With `fused` one value per neuron; without, one per
 * multiplication, addition and activation. Both compute the same numbers. */
pg_status pg_mlp_forward(pg_graph *g, const pg_mlp *mlp, int fused, const double *x, pg_value **out);

typedef enum { PG_LOSS_BCE_WITH_LOGITS, PG_LOSS_MARGIN } pg_mlp_criterion;

/* The mean loss of an mlp with one output over n points x[n, sizes[0]], row major, with labels y[n], as one value: of
 * the output as a logit for labels from 0 to 1, or max(0, 1 - y * output) for labels of -1 and 1. With `alpha` other
 * than 0, alpha times the sum of the squared parameters is added. `fused` as in pg_mlp_forward, for the sums too. */
pg_value *pg_mlp_loss(pg_graph *g, const pg_mlp *mlp, int fused, pg_mlp_criterion criterion, double alpha, int64_t n,
                      const double *x, const double *y);

#ifdef __cplusplus
}
#endif

#include "pygrad_ops.h"

#endif
