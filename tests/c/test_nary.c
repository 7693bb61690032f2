/* Ops of n inputs, one node each: sum, logsumexp, dot, neurons, custom ones; and the networks made of them. A fused
 * neuron has to be what the written-out sum is, to the bit.
 */
#include "check.h"

#include <float.h>

enum { N = 7 };

static void leaves(pg_graph *g, uint64_t seed, int64_t n, pg_value **out)
{
    pg_rng rng;
    pg_rng_seed(&rng, seed);
    for (int64_t i = 0; i < n; i++) {
        double x;
        pg_rng_normal(&rng, 0.0, 1.0, 1, &x);
        out[i] = pg_leaf(g, x);
    }
}

static void test_sum(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *v[N];
    leaves(g, 1, N, v);
    v[N - 1] = v[0]; /* twice the same */
    pg_value *total = pg_sum(g, N, v), *written = pg_leaf(g, 0.0);
    for (int i = 0; i < N; i++)
        written = pg_add(g, written, v[i]);
    CHECK_SAME(pg_data(total), pg_data(written));
    CHECK(pg_backward(g, pg_binary_number(g, PG_OP_mul, total, 3.0)) == PG_OK);
    CHECK_SAME(pg_grad(v[0]), 6.0);
    CHECK_SAME(pg_grad(v[1]), 3.0);
    CHECK_SAME(pg_data(pg_sum(g, 0, NULL)), 0.0);
    CHECK(pg_backward(g, pg_sum(g, 0, NULL)) == PG_OK);
    pg_graph_free(g);
}

static void test_logsumexp_is_finite_and_its_gradient_is_the_softmax(void)
{
    pg_graph *g = pg_graph_new();
    const double x[3] = {2.0, 1.0, 0.1}, softmax[3] = {0.6590, 0.2424, 0.0986}, shifts[] = {0.0, 1000.0, -1000.0};
    for (int s = 0; s < 3; s++) {
        pg_value *v[3];
        for (int i = 0; i < 3; i++)
            v[i] = pg_leaf(g, x[i] + shifts[s]);
        pg_value *total = pg_logsumexp(g, 3, v);
        CHECK(pg_backward(g, total) == PG_OK);
        CHECK_NEAR(pg_data(total) - shifts[s], log(exp(2.0) + exp(1.0) + exp(0.1)), 1e-12);
        CHECK_NEAR(pg_grad(v[0]) + pg_grad(v[1]) + pg_grad(v[2]), 1.0, 1e-12);
        for (int i = 0; i < 3; i++)
            CHECK_NEAR(pg_grad(v[i]), softmax[i], 5e-5);
    }
    pg_value *far[2] = {pg_leaf(g, 1000.0), pg_leaf(g, -1000.0)}, *one = pg_leaf(g, -1234.5);
    CHECK_SAME(pg_data(pg_logsumexp(g, 2, far)), 1000.0);
    CHECK_SAME(pg_data(pg_logsumexp(g, 1, &one)), -1234.5);
    CHECK_SAME(pg_data(pg_logsumexp(g, 0, NULL)), -INFINITY);
    one = pg_leaf(g, NAN);
    CHECK_SAME(pg_data(pg_logsumexp(g, 1, &one)), NAN);
    one = pg_leaf(g, INFINITY);
    CHECK_SAME(pg_data(pg_logsumexp(g, 1, &one)), INFINITY);
    pg_graph_free(g);
}

static void test_custom_multiplies_by_the_callers_derivatives(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *v[3] = {pg_leaf(g, 1.0), pg_leaf(g, 2.0), NULL};
    v[2] = v[0];
    double local[3] = {10.0, 20.0, 30.0};
    pg_value *y = pg_custom(g, 42.0, 3, v, local);
    local[0] = -1.0; /* they were copied */
    CHECK_SAME(pg_data(y), 42.0);
    CHECK(pg_backward(g, pg_neg(g, y)) == PG_OK);
    CHECK_SAME(pg_grad(v[0]), -40.0);
    CHECK_SAME(pg_grad(v[1]), -20.0);
    CHECK(pg_backward(g, pg_custom(g, 1.0, 0, NULL, NULL)) == PG_OK);
    pg_graph_free(g);
}

/* bias + w[0] x[0] + ... in this order */
static pg_value *written_out(pg_graph *g, int64_t n, pg_value *const *x, const double *numbers, pg_value *const *w,
                             pg_value *bias)
{
    pg_value *sum = bias;
    for (int64_t i = 0; i < n; i++)
        sum = pg_add(g, sum, x != NULL ? pg_mul(g, w[i], x[i]) : pg_binary_number(g, PG_OP_mul, w[i], numbers[i]));
    return sum;
}

/* Each of these gradients is one product, so that it is the same to the bit. */
static void check_same_as_written_out(pg_graph *g, pg_value *fused, pg_value *written, pg_value **all, int n)
{
    double grads[2 * N + 1];
    CHECK_SAME(pg_data(fused), pg_data(written));
    pg_zero_grad(n, all);
    CHECK(pg_backward(g, fused) == PG_OK);
    for (int i = 0; i < n; i++)
        grads[i] = pg_grad(all[i]);
    pg_zero_grad(n, all);
    CHECK(pg_backward(g, written) == PG_OK);
    for (int i = 0; i < n; i++)
        CHECK_SAME(grads[i], pg_grad(all[i]));
}

static void check_activation(pg_graph *g, int activation)
{
    pg_value *all[2 * N + 1], **x = all, **w = all + N;
    leaves(g, 100 + (uint64_t)activation, 2 * N + 1, all);
    pg_value *bias = all[2 * N];
    double numbers[N];
    for (int i = 0; i < N; i++)
        numbers[i] = pg_data(x[i]);

    pg_value *sum = written_out(g, N, x, NULL, w, bias), *from_numbers = written_out(g, N, NULL, numbers, w, bias);
    pg_value *wanted = activation < 0 ? sum : pg_unary(g, activation, sum);
    pg_value *wanted_numbers = activation < 0 ? from_numbers : pg_unary(g, activation, from_numbers);
    check_same_as_written_out(g, pg_neuron(g, activation, N, x, w, bias), wanted, all, 2 * N + 1);
    check_same_as_written_out(g, pg_neuron_numbers(g, activation, N, numbers, w, bias), wanted_numbers, all, 2 * N + 1);
    pg_clear(g);
}

static void test_fused_neurons_equal_the_written_out_sum_to_the_bit(void)
{
    pg_graph *g = pg_graph_new();
    check_activation(g, -1);
    for (int op = 0; op < pg_op_count(); op++)
        if (pg_op_row(op)->arity == 1)
            check_activation(g, op);

    pg_value *all[2 * N];
    leaves(g, 5, 2 * N, all);
    pg_value *zero = pg_leaf(g, 0.0);
    check_same_as_written_out(g, pg_dot(g, N, all, all + N), written_out(g, N, all, NULL, all + N, zero), all, 2 * N);
    CHECK_SAME(pg_data(pg_dot(g, 0, NULL, NULL)), 0.0);
    CHECK_SAME(pg_data(pg_neuron(g, PG_OP_sigmoid, 0, NULL, NULL, zero)), 0.5);
    pg_graph_free(g);
}

static void test_dot_of_a_list_with_itself(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *v[3] = {pg_leaf(g, 1.0), pg_leaf(g, 2.0), pg_leaf(g, 3.0)};
    pg_value *y = pg_dot(g, 3, v, v);
    CHECK_SAME(pg_data(y), 14.0);
    CHECK(pg_backward(g, y) == PG_OK);
    for (int i = 0; i < 3; i++)
        CHECK_SAME(pg_grad(v[i]), 2.0 * pg_data(v[i]));
    pg_graph_free(g);
}

/* ---- multi-layer perceptrons --------------------------------------------------------------------------------- */

static void test_mlp_fused_and_written_out_agree(void)
{
    pg_graph *g = pg_graph_new();
    const int64_t sizes[] = {3, 5, 4, 2};
    const double x[3] = {0.5, -1.25, 2.0};
    pg_mlp *mlp = pg_mlp_new(g, 3, sizes, PG_OP_tanh, -1, 7);
    int64_t n;
    pg_value *const *params = pg_mlp_parameters(mlp, &n), *out[2][2];
    double grads[2][64];
    CHECK(n == 5 * 4 + 4 * 6 + 2 * 5);
    for (int fused = 0; fused < 2; fused++) {
        CHECK(pg_mlp_forward(g, mlp, fused, x, out[fused]) == PG_OK);
        pg_zero_grad(n, params);
        CHECK(pg_backward(g, pg_mul(g, out[fused][0], out[fused][1])) == PG_OK);
        for (int64_t i = 0; i < n; i++)
            grads[fused][i] = pg_grad(params[i]);
    }
    CHECK_SAME(pg_data(out[0][0]), pg_data(out[1][0]));
    CHECK_SAME(pg_data(out[0][1]), pg_data(out[1][1]));
    for (int64_t i = 0; i < n; i++) /* a hidden value's gradient is a sum, and the order of its terms is free */
        CHECK_NEAR(grads[0][i], grads[1][i], 64 * DBL_EPSILON * fmax(1.0, fabs(grads[0][i])));
    pg_mlp_free(mlp);
    pg_graph_free(g);
}

static void test_mlp_weights_are_he_normal_neuron_by_neuron_and_biases_are_0(void)
{
    pg_graph *g = pg_graph_new();
    const int64_t sizes[] = {2, 16, 1};
    pg_mlp *mlp = pg_mlp_new(g, 2, sizes, PG_OP_relu, -1, 42);
    pg_mlp *again = pg_mlp_new(g, 2, sizes, PG_OP_relu, -1, 42);
    int64_t n, at = 0;
    pg_value *const *params = pg_mlp_parameters(mlp, &n), *const *same = pg_mlp_parameters(again, &n);
    CHECK(n == 65);
    pg_rng rng;
    pg_rng_seed(&rng, 42);
    for (int layer = 1; layer < 3; layer++)
        for (int64_t neuron = 0; neuron < sizes[layer]; neuron++) {
            double w[16];
            pg_rng_normal(&rng, 0.0, sqrt(2.0 / (double)sizes[layer - 1]), sizes[layer - 1], w);
            for (int64_t i = 0; i < sizes[layer - 1]; i++, at++)
                CHECK_SAME(pg_data(params[at]), w[i]);
            CHECK_SAME(pg_data(params[at++]), 0.0);
        }
    CHECK(at == n);
    for (int64_t i = 0; i < n; i++)
        CHECK_SAME(pg_data(params[i]), pg_data(same[i]));
    pg_mlp_free(again);
    pg_mlp_free(mlp);
    pg_mlp_free(NULL);
    pg_graph_free(g);
}

static void test_mlp_refuses_empty_layers_and_unknown_activations(void)
{
    pg_graph *g = pg_graph_new();
    CHECK(pg_mlp_new(g, 2, (int64_t[]){2, 0, 1}, PG_OP_relu, -1, 0) == NULL);
    CHECK_MESSAGE(strstr(pg_message(), "0") != NULL, "%s", pg_message());
    CHECK(pg_mlp_new(g, 1, (int64_t[]){-3, 1}, PG_OP_relu, -1, 0) == NULL);
    pg_mlp *mlp = pg_mlp_new(g, 1, (int64_t[]){2, 1}, PG_OP_relu, PG_OP_mul, 0);
    pg_value *out;
    CHECK(mlp == NULL || pg_mlp_forward(g, mlp, 1, (double[]){1.0, 2.0}, &out) == PG_BAD_ARGUMENT);
    pg_mlp_free(mlp);
    pg_graph_free(g);
}

int main(void)
{
    test_sum();
    test_logsumexp_is_finite_and_its_gradient_is_the_softmax();
    test_custom_multiplies_by_the_callers_derivatives();
    test_fused_neurons_equal_the_written_out_sum_to_the_bit();
    test_dot_of_a_list_with_itself();
    test_mlp_fused_and_written_out_agree();
    test_mlp_weights_are_he_normal_neuron_by_neuron_and_biases_are_0();
    test_mlp_refuses_empty_layers_and_unknown_activations();
    CHECK(pg_live_bytes() == 0);
    return check_report("nary");
}
