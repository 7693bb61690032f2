/* Threads with a graph each: build, differentiate, train, fail. What they compute has to be what one thread alone
 * computes, to the bit. `make tsan` runs this under ThreadSanitizer.
 *
 * The checks count in the main thread only; the threads hand back what they found.
 */
#include "check.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 5, EPOCHS = 100, CHAIN = 20000, POINTS = 8 };

typedef struct {
    uint64_t seed;
    double losses[ROUNDS][EPOCHS];
    double weights; /* the sum of the trained parameters */
    double chain_value, chain_grad;
    char message[64];
    bool sound; /* no status was wrong on the way */
} result;

static void differentiate_a_chain(result *r)
{
    pg_graph *g = pg_graph_new();
    pg_value *x = pg_retain(pg_leaf(g, 0.5)), *y = x;
    for (int i = 0; i < CHAIN; i++)
        y = pg_sin(g, pg_add(g, y, x));
    r->sound &= pg_backward(g, y) == PG_OK;
    r->chain_value = pg_data(y);
    r->chain_grad = pg_grad(x);
    pg_clear(g);
    pg_release(g, x);
    pg_graph_free(g);
}

static double epoch(pg_graph *g, const pg_mlp *mlp, const double points[POINTS][2], bool *sound)
{
    pg_value *losses[POINTS];
    for (int i = 0; i < POINTS; i++) {
        pg_value *z;
        *sound &= pg_mlp_forward(g, mlp, i & 1, points[i], &z) == PG_OK;
        losses[i] = pg_binary_number(g, PG_OP_bce_with_logits, z, points[i][0] * points[i][1] > 0.0);
    }
    pg_value *loss = pg_binary_number(g, PG_OP_div, pg_sum(g, POINTS, losses), POINTS);
    *sound &= pg_backward(g, loss) == PG_OK;
    return pg_data(loss);
}

static void train(result *r, int round)
{
    pg_graph *g = pg_graph_new();
    pg_mlp *mlp = pg_mlp_new(g, 2, (int64_t[]){2, 8, 1}, PG_OP_tanh, -1, r->seed + (uint64_t)round);
    int64_t n;
    pg_value *const *params = pg_mlp_parameters(mlp, &n);
    double points[POINTS][2], *m = calloc((size_t)n, sizeof *m), *v = calloc((size_t)n, sizeof *v);
    pg_rng rng;
    pg_rng_seed(&rng, r->seed);
    pg_rng_uniform(&rng, -1.0, 1.0, 2 * POINTS, &points[0][0]);
    const pg_adam adam = {.lr = 0.05, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    for (int i = 0; i < EPOCHS; i++) {
        pg_clear(g);
        pg_zero_grad(n, params);
        r->losses[round][i] = epoch(g, mlp, points, &r->sound);
        pg_adam_step(&adam, i + 1, n, params, m, v);
    }
    for (int64_t i = 0; i < n; i++)
        r->weights += pg_data(params[i]);
    free(m);
    free(v);
    pg_mlp_free(mlp);
    pg_graph_free(g);
}

/* Messages are each thread's own. */
static void fail(result *r)
{
    pg_graph *g = pg_graph_new();
    r->sound &= pg_unary(g, 1000 + (int)r->seed, pg_leaf(g, 1.0)) == NULL;
    snprintf(r->message, sizeof r->message, "%.60s", pg_message());
    pg_graph_free(g);
}

static void *work(void *argument)
{
    result *r = argument;
    r->sound = true;
    fail(r);
    for (int round = 0; round < ROUNDS; round++) {
        differentiate_a_chain(r);
        train(r, round);
    }
    const char *now = pg_message();
    r->sound &= strncmp(now, r->message, strlen(r->message)) == 0;
    return NULL;
}

static void check_equal(const result *one, const result *other)
{
    CHECK(one->sound && other->sound);
    CHECK(memcmp(one->losses, other->losses, sizeof one->losses) == 0);
    CHECK_SAME(one->weights, other->weights);
    CHECK_SAME(one->chain_value, other->chain_value);
    CHECK_SAME(one->chain_grad, other->chain_grad);
    CHECK_MESSAGE(strcmp(one->message, other->message) == 0, "%s | %s", one->message, other->message);
}

int main(void)
{
    static result alone[THREADS], together[THREADS];
    const int64_t before = pg_live_bytes();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        alone[i].seed = together[i].seed = 100 * (uint64_t)i;
        work(&alone[i]);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, &together[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++) {
        check_equal(&alone[i], &together[i]);
        CHECK(alone[i].losses[0][EPOCHS - 1] < alone[i].losses[0][0]);
    }
    CHECK(strcmp(alone[0].message, alone[1].message) != 0);
    CHECK(pg_live_bytes() == before);
    return check_report("threads");
}
