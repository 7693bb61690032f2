/* Graphs through the public interface: worked numbers, accumulation, ownership, errors, depth.
 *
 * usage: test_graph [length of the longest chain]
 */
#include "check.h"

#include <stdlib.h>

/* ---- worked numbers ------------------------------------------------------------------------------------------ */

static void test_sum_times_number(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *a = pg_leaf(g, 2.0), *b = pg_leaf(g, 3.0), *c = pg_leaf(g, 5.0);
    pg_value *loss = pg_mul(g, pg_add(g, a, b), c);
    CHECK(pg_backward(g, loss) == PG_OK);
    CHECK_SAME(pg_data(loss), 25.0);
    CHECK_SAME(pg_grad(loss), 1.0);
    CHECK_SAME(pg_grad(a), 5.0);
    CHECK_SAME(pg_grad(b), 5.0);
    CHECK_SAME(pg_grad(c), 5.0);
    pg_graph_free(g);
}

static void test_squared_error_of_a_line(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *x = pg_leaf(g, 2.0), *w = pg_leaf(g, 3.0), *b = pg_leaf(g, 1.0);
    pg_value *error = pg_binary_number(g, PG_OP_sub, pg_add(g, pg_mul(g, w, x), b), 5.0);
    CHECK(pg_backward(g, pg_binary_number(g, PG_OP_pow, error, 2.0)) == PG_OK);
    CHECK_SAME(pg_grad(w), 8.0);
    CHECK_SAME(pg_grad(x), 12.0);
    CHECK_SAME(pg_grad(b), 4.0);
    pg_graph_free(g);
}

static void test_logistic_neuron(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *w = pg_leaf(g, 0.5), *x = pg_leaf(g, 2.0), *b = pg_leaf(g, -0.3);
    pg_value *z = pg_add(g, pg_mul(g, w, x), b), *p = pg_sigmoid(g, z), *loss = pg_neg(g, pg_log(g, p));
    CHECK(pg_backward(g, loss) == PG_OK);
    CHECK_NEAR(pg_data(z), 0.7, 1e-15);
    CHECK_NEAR(pg_data(p), 0.668188, 5e-7);
    CHECK_NEAR(pg_data(loss), 0.403186, 5e-7);
    CHECK_NEAR(pg_grad(p), -1.496585, 5e-7);
    CHECK_NEAR(pg_grad(z), -0.331812, 5e-7);
    CHECK_NEAR(pg_grad(w), -0.663624, 5e-7);
    CHECK_NEAR(pg_grad(b), -0.331812, 5e-7);

    pg_value *fused = pg_binary_number(g, PG_OP_bce_with_logits, z, 1.0);
    pg_set_grad(w, 0.0);
    CHECK(pg_backward(g, fused) == PG_OK);
    CHECK_NEAR(pg_data(fused), pg_data(loss), 1e-15);
    CHECK_NEAR(pg_grad(w), -0.663624, 5e-7);
    pg_graph_free(g);
}

static void test_two_neurons_in_a_row(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *x = pg_leaf(g, 2.0), *w1 = pg_leaf(g, 3.0), *w2 = pg_leaf(g, -1.0), *b = pg_leaf(g, 0.5);
    pg_value *hidden = pg_relu(g, pg_add(g, pg_mul(g, w1, x), b)), *y = pg_mul(g, w2, hidden);
    pg_value *loss = pg_mul(g, y, y);
    CHECK(pg_backward(g, loss) == PG_OK);
    CHECK_SAME(pg_data(loss), 42.25);
    CHECK_SAME(pg_grad(w1), 26.0);
    CHECK_SAME(pg_grad(w2), -84.5);
    CHECK_SAME(pg_grad(b), 13.0);
    pg_graph_free(g);
}

static void check_relu_neuron(double bias, double loss, const double dx[2], const double dw[2], double db)
{
    pg_graph *g = pg_graph_new();
    pg_value *x[2] = {pg_leaf(g, 2.0), pg_leaf(g, 3.0)}, *w[2] = {pg_leaf(g, 0.5), pg_leaf(g, -1.0)};
    pg_value *b = pg_leaf(g, bias);
    pg_value *error = pg_binary_number(g, PG_OP_sub, pg_neuron(g, PG_OP_relu, 2, x, w, b), 1.0);
    pg_value *squared = pg_mul(g, error, error);
    CHECK(pg_backward(g, squared) == PG_OK);
    CHECK_NEAR(pg_data(squared), loss, 1e-15);
    for (int i = 0; i < 2; i++) {
        CHECK_NEAR(pg_grad(x[i]), dx[i], 1e-15);
        CHECK_NEAR(pg_grad(w[i]), dw[i], 4e-15);
    }
    CHECK_NEAR(pg_grad(b), db, 1e-15);
    pg_graph_free(g);
}

static void test_dead_neuron_and_its_live_twin(void)
{
    check_relu_neuron(0.1, 1.0, (double[]){0, 0}, (double[]){0, 0}, 0);
    check_relu_neuron(2.6, 0.16, (double[]){-0.4, 0.8}, (double[]){-1.6, -2.4}, -0.8);
}

/* ---- accumulation -------------------------------------------------------------------------------------------- */

static void test_a_value_used_twice_sums_over_both_paths(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *x = pg_leaf(g, 3.0);
    CHECK(pg_backward(g, pg_mul(g, x, x)) == PG_OK);
    CHECK_SAME(pg_grad(x), 6.0);

    pg_set_grad(x, 0.0);
    pg_value *left = pg_exp(g, x), *right = pg_sin(g, x); /* a diamond */
    CHECK(pg_backward(g, pg_mul(g, left, right)) == PG_OK);
    CHECK_NEAR(pg_grad(x), exp(3.0) * (sin(3.0) + cos(3.0)), 1e-13);

    pg_set_grad(x, 0.0);
    pg_value *y = x; /* 30 diamonds in a row: 2^30 paths, each node visited once */
    for (int i = 0; i < 30; i++)
        y = pg_add(g, y, y);
    CHECK(pg_backward(g, y) == PG_OK);
    CHECK_SAME(pg_grad(x), 1073741824.0);
    pg_graph_free(g);
}

static void test_second_backward_feeds_nothing_stale(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *x = pg_leaf(g, 3.0), *square = pg_mul(g, x, x), *cube = pg_mul(g, square, x);
    for (int i = 0; i < 2; i++) {
        pg_set_grad(x, 0.0);
        CHECK(pg_backward(g, cube) == PG_OK);
        CHECK_SAME(pg_grad(x), 27.0);
        CHECK_SAME(pg_grad(square), 3.0);
    }
    CHECK(pg_backward(g, cube) == PG_OK);
    CHECK_SAME(pg_grad(x), 54.0); /* leaves accumulate */
    CHECK(pg_backward(g, square) == PG_OK);
    CHECK_SAME(pg_grad(x), 60.0);
    CHECK_SAME(pg_grad(square), 1.0);
    CHECK_SAME(pg_grad(cube), 1.0); /* not below this root: as it was */
    pg_graph_free(g);
}

static void test_two_losses_accumulate_in_shared_leaves(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *w = pg_leaf(g, 2.0), *first = pg_mul(g, w, w), *second = pg_exp(g, w);
    CHECK(pg_backward(g, first) == PG_OK && pg_backward(g, second) == PG_OK);
    CHECK_SAME(pg_grad(w), 4.0 + exp(2.0));
    pg_graph_free(g);
}

static void test_root_that_is_a_leaf(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *x = pg_leaf(g, 3.0);
    CHECK(pg_backward(g, x) == PG_OK && pg_backward(g, x) == PG_OK);
    CHECK_SAME(pg_grad(x), 1.0);
    pg_graph_free(g);
}

static void test_rules_read_inputs_as_they_stand_and_outputs_as_computed(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *x = pg_leaf(g, 3.0), *square = pg_mul(g, x, x), *e = pg_exp(g, x);
    pg_set_data(x, 10.0);
    CHECK(pg_backward(g, square) == PG_OK);
    CHECK_SAME(pg_data(square), 9.0);
    CHECK_SAME(pg_grad(x), 20.0);
    pg_set_grad(x, 0.0);
    CHECK(pg_backward(g, e) == PG_OK);
    CHECK_SAME(pg_grad(x), exp(3.0));
    pg_graph_free(g);
}

static void test_numbers_get_no_gradient_and_cost_no_value(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *x = pg_leaf(g, 4.0);
    pg_value *y = pg_number_binary(g, PG_OP_sub, 1.0, pg_number_binary(g, PG_OP_div, 8.0, x));
    CHECK_SAME(pg_data(y), -1.0);
    CHECK(pg_backward(g, y) == PG_OK);
    CHECK_SAME(pg_grad(x), 0.5);
    pg_graph_free(g);
}

/* ---- ownership ----------------------------------------------------------------------------------------------- */

static void test_retained_values_outlive_a_clear_with_all_they_depend_on(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *a = pg_leaf(g, 2.0), *b = pg_leaf(g, 3.0);
    pg_value *root = pg_retain(pg_mul(g, pg_add(g, a, b), a));
    pg_clear(g);
    CHECK(pg_backward(g, root) == PG_OK); /* a and b are kept alive by root */
    CHECK_SAME(pg_data(root), 10.0);
    CHECK_SAME(pg_grad(a), 7.0);
    CHECK_SAME(pg_grad(b), 2.0);
    pg_value *more = pg_exp(g, root); /* and can be built upon */
    CHECK(pg_backward(g, more) == PG_OK);
    pg_release(g, root);
    CHECK_SAME(pg_data(root), 10.0); /* `more` keeps it */
    pg_clear(g);
    pg_graph_free(g);
}

static void test_parameters_survive_a_thousand_steps_and_memory_stays_flat(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *w = pg_retain(pg_leaf(g, 0.0));
    int64_t after_first = 0;
    for (int step = 0; step < 1000; step++) {
        pg_clear(g);
        pg_value *loss = pg_binary_number(g, PG_OP_pow, pg_binary_number(g, PG_OP_sub, w, 3.0), 2.0);
        pg_zero_grad(1, &w);
        CHECK(pg_backward(g, loss) == PG_OK);
        pg_set_data(w, pg_data(w) - 0.1 * pg_grad(w));
        if (step == 0)
            after_first = pg_live_bytes();
    }
    CHECK_NEAR(pg_data(w), 3.0, 1e-12);
    CHECK(pg_live_bytes() == after_first);
    pg_release(g, w);
    pg_graph_free(g);
}

static void test_retain_and_release_take_null_and_can_be_nested(void)
{
    pg_graph *g = pg_graph_new();
    CHECK(pg_retain(NULL) == NULL);
    pg_release(g, NULL);
    pg_value *v = pg_leaf(g, 1.0);
    CHECK(pg_retain(v) == v && pg_retain(v) == v);
    pg_clear(g);
    pg_release(g, v);
    CHECK_SAME(pg_data(v), 1.0);
    pg_release(g, v);
    pg_clear(g);
    pg_graph_free(g);
    pg_graph_free(NULL);
}

/* ---- errors -------------------------------------------------------------------------------------------------- */

static void test_a_null_input_gives_null_and_the_graph_remembers(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *a = pg_leaf(g, 1.0), *pair[2] = {a, NULL}, *fine[2] = {a, a};
    const double numbers[2] = {1.0, 2.0};
    CHECK(pg_graph_status(g) == PG_OK);
    CHECK(pg_exp(g, NULL) == NULL && pg_graph_status(g) == PG_BAD_ARGUMENT);
    CHECK(pg_backward(g, a) == PG_BAD_ARGUMENT);
    pg_clear(g);
    CHECK(pg_graph_status(g) == PG_OK);

    fine[0] = fine[1] = pair[0] = a = pg_leaf(g, 1.0);
    pg_value *const results[] = {
        pg_mul(g, a, NULL),
        pg_mul(g, NULL, a),
        pg_binary_number(g, PG_OP_mul, NULL, 2.0),
        pg_number_binary(g, PG_OP_mul, 2.0, NULL),
        pg_sum(g, 2, pair),
        pg_logsumexp(g, 2, pair),
        pg_dot(g, 2, pair, fine),
        pg_dot(g, 2, fine, pair),
        pg_neuron(g, PG_OP_tanh, 2, pair, fine, a),
        pg_neuron(g, PG_OP_tanh, 2, fine, pair, a),
        pg_neuron_numbers(g, PG_OP_tanh, 2, numbers, pair, a),
        pg_custom(g, 1.0, 2, pair, numbers),
    };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        CHECK_MESSAGE(results[i] == NULL, "builder %zu", i);
    CHECK(pg_graph_status(g) == PG_BAD_ARGUMENT);
    pg_clear(g);
    a = pg_leaf(g, 1.0);
    CHECK(pg_backward(g, pg_exp(g, a)) == PG_OK); /* usable again */
    pg_graph_free(g);
}

static void test_a_wrong_op_number_is_refused_with_a_message(void)
{
    const int wrong1[] = {-1, -1000, PG_OP_mul, PG_OP_COUNT, 120, 121, 128, 255, 256, 100000};
    const int wrong2[] = {-1, -1000, PG_OP_exp, PG_OP_COUNT, 120, 121, 128, 255, 256, 100000};
    pg_graph *g = pg_graph_new();
    pg_value *a = pg_retain(pg_leaf(g, 1.0));
    for (size_t i = 0; i < sizeof wrong1 / sizeof *wrong1; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", wrong1[i]);
        CHECK(pg_unary(g, wrong1[i], a) == NULL && pg_graph_status(g) == PG_BAD_ARGUMENT);
        CHECK_MESSAGE(strstr(pg_message(), number) != NULL, "%s", pg_message());
        CHECK(pg_binary(g, wrong2[i], a, a) == NULL);
        CHECK(pg_binary_number(g, wrong2[i], a, 1.0) == NULL);
        CHECK(pg_number_binary(g, wrong2[i], 1.0, a) == NULL);
        if (wrong1[i] >= 0) /* a negative one means no activation */
            CHECK(pg_neuron(g, wrong1[i], 1, &a, &a, a) == NULL);
        pg_clear(g);
    }
    CHECK(pg_sum(g, -1, &a) == NULL && pg_graph_status(g) == PG_BAD_ARGUMENT);
    CHECK_MESSAGE(strstr(pg_message(), "-1") != NULL, "%s", pg_message());
    pg_clear(g);
    CHECK(pg_neuron_numbers(g, -1, -3, NULL, NULL, a) == NULL && pg_graph_status(g) == PG_BAD_ARGUMENT);
    pg_clear(g);
    pg_release(g, a);
    pg_graph_free(g);
}

static void test_a_failure_anywhere_in_an_expression_reaches_backward(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *a = pg_leaf(g, 1.0);
    pg_value *loss = pg_add(g, pg_exp(g, pg_unary(g, 9999, a)), a);
    CHECK(loss == NULL);
    CHECK(pg_backward(g, loss) == PG_BAD_ARGUMENT);
    CHECK_MESSAGE(strstr(pg_message(), "9999") != NULL, "%s", pg_message());
    pg_fail_allocation(1, 0); /* a later failure of another kind does not hide the first */
    CHECK(pg_leaf(g, 1.0) == NULL);
    pg_fail_allocation(0, 0);
    CHECK(pg_graph_status(g) == PG_BAD_ARGUMENT);
    CHECK_SAME(pg_grad(a), 0.0);
    pg_clear(g);
    CHECK(pg_backward(g, NULL) == PG_BAD_ARGUMENT);
    CHECK(pg_message()[0] != '\0');
    pg_graph_free(g);
}

/* ---- depth --------------------------------------------------------------------------------------------------- */

/* y = x0 + x + x + ...: built, differentiated, and freed from its end. */
static void check_chain(int64_t n)
{
    const int64_t before = pg_live_bytes();
    pg_graph *g = pg_graph_new();
    pg_value *x0 = pg_leaf(g, 1.0), *x = pg_leaf(g, 2.0), *y = x0;
    for (int64_t i = 0; i < n; i++)
        y = pg_add(g, y, x);
    CHECK_SAME(pg_data(y), 1.0 + 2.0 * (double)n);
    if (!CHECK_SLOW)
        CHECK_MESSAGE(pg_live_bytes() - before <= 80 * n + (4 << 20), "%" PRId64 " bytes", pg_live_bytes() - before);
    CHECK(pg_backward(g, y) == PG_OK);
    CHECK_SAME(pg_grad(x0), 1.0);
    CHECK_SAME(pg_grad(x), (double)n);
    CHECK(pg_backward(g, y) == PG_OK);
    CHECK_SAME(pg_grad(x), 2.0 * (double)n);

    pg_retain(y);
    pg_clear(g); /* nothing is freed: all depends on all */
    CHECK_SAME(pg_data(y), 1.0 + 2.0 * (double)n);
    pg_release(g, y);
    CHECK_SAME(pg_data(pg_leaf(g, 5.0)), 5.0); /* from the memory that came back */
    pg_graph_free(g);
    CHECK(pg_live_bytes() == before);
}

/* The same depth through the blocks of sums, freed by pg_clear. */
static void check_chain_of_sums(int64_t n)
{
    const int64_t before = pg_live_bytes();
    pg_graph *g = pg_graph_new();
    pg_value *pair[2] = {pg_leaf(g, 1.0), pg_leaf(g, 2.0)}, *x = pair[1];
    for (int64_t i = 0; i < n; i++)
        pair[0] = pg_sum(g, 2, pair);
    CHECK(pg_backward(g, pair[0]) == PG_OK);
    CHECK_SAME(pg_grad(x), (double)n);
    pg_clear(g);
    pg_graph_free(g);
    CHECK(pg_live_bytes() == before);
}

static void test_deep_graphs(int64_t length)
{
    for (int64_t n = 1; n < length; n *= 1000)
        check_chain(n);
    check_chain(length);
    check_chain_of_sums(length / 10);
}

int main(int argc, char **argv)
{
    CHECK(pg_message()[0] != '\0' && pg_version()[0] != '\0');
    test_sum_times_number();
    test_squared_error_of_a_line();
    test_logistic_neuron();
    test_two_neurons_in_a_row();
    test_dead_neuron_and_its_live_twin();
    test_a_value_used_twice_sums_over_both_paths();
    test_second_backward_feeds_nothing_stale();
    test_two_losses_accumulate_in_shared_leaves();
    test_root_that_is_a_leaf();
    test_rules_read_inputs_as_they_stand_and_outputs_as_computed();
    test_numbers_get_no_gradient_and_cost_no_value();
    test_retained_values_outlive_a_clear_with_all_they_depend_on();
    test_parameters_survive_a_thousand_steps_and_memory_stays_flat();
    test_retain_and_release_take_null_and_can_be_nested();
    test_a_null_input_gives_null_and_the_graph_remembers();
    test_a_wrong_op_number_is_refused_with_a_message();
    test_a_failure_anywhere_in_an_expression_reaches_backward();
    test_deep_graphs(argc > 1 ? atoll(argv[1]) : CHECK_SLOW ? 1000000 : 10000000);
    CHECK(pg_live_bytes() == 0);
    return check_report("graph");
}
