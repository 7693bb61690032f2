/* Perceptrons and layers for programs in C: what they refuse, and the loss of a batch. */
#include "check.h"

static void test_sizes_that_do_not_fit_are_refused_and_not_computed_with(void)
{
    pg_graph *g = pg_graph_new();
    /* Sums and products of these overflowed once. */
    CHECK(pg_mlp_new(g, 1, (int64_t[]){INT64_MAX, 2}, -1, -1, 0) == NULL);
    CHECK(pg_mlp_new(g, 1, (int64_t[]){INT64_MAX / 2, 3}, -1, -1, 0) == NULL);
    CHECK(pg_mlp_new(g, 2, (int64_t[]){1, INT64_MAX / 4, INT64_MAX / 4}, -1, -1, 0) == NULL);
    pg_graph_free(g);
}

static void test_perceptron_without_layers_is_refused_by_name(void)
{
    pg_graph *g = pg_graph_new();
    for (int depth = -1; depth <= 0; depth++) {
        /* Depth 0 was accepted once, and its outputs were never written. */
        CHECK(pg_mlp_new(g, depth, (int64_t[]){2, 1}, -1, -1, 0) == NULL);
        CHECK_MESSAGE(strstr(pg_message(), "depth") != NULL, "%s", pg_message());
    }
    CHECK(pg_mlp_new(g, 1, (int64_t[]){2, 0}, -1, -1, 0) == NULL);
    CHECK_MESSAGE(strstr(pg_message(), "not 0") != NULL, "%s", pg_message());
    pg_graph_free(g);
}

static void test_null_inputs_leave_a_message_that_names_the_op(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *x = pg_leaf(g, 2.0);
    CHECK(pg_exp(g, NULL) == NULL);
    CHECK_MESSAGE(strstr(pg_message(), "exp") != NULL, "%s", pg_message());
    pg_clear(g);
    x = pg_leaf(g, 2.0);
    CHECK(pg_neuron(g, -1, 1, &x, &x, NULL) == NULL); /* made a neuron without a bias once */
    CHECK_MESSAGE(strstr(pg_message(), "neuron") != NULL, "%s", pg_message());
    pg_clear(g);
    pg_value *w[2] = {pg_leaf(g, 1.0), NULL}, *out = w[0];
    CHECK(pg_layer(g, -1, 1, NULL, (double[]){1.0}, 1, w, &out) == PG_BAD_ARGUMENT && out == NULL);
    CHECK_MESSAGE(strstr(pg_message(), "layer") != NULL, "%s", pg_message());
    pg_graph_free(g);
}

static void test_layer_gives_what_its_neurons_give(void)
{
    pg_graph *g = pg_graph_new();
    pg_value *x[2], *w[9], *out[3];
    for (int i = 0; i < 2; i++)
        x[i] = pg_leaf(g, 0.5 - i);
    for (int i = 0; i < 9; i++)
        w[i] = pg_leaf(g, 0.3 * i - 1.0);
    CHECK(pg_layer(g, PG_OP_tanh, 2, x, NULL, 3, w, out) == PG_OK);
    double sum = 0.0;
    for (int i = 0; i < 3; i++) {
        const double z = pg_data(w[3 * i + 2]) + pg_data(w[3 * i]) * 0.5 + pg_data(w[3 * i + 1]) * -0.5;
        CHECK_NEAR(pg_data(out[i]), tanh(z), 1e-15);
        sum += (1.0 - tanh(z) * tanh(z)) * pg_data(w[3 * i]);
    }
    CHECK(pg_backward(g, pg_sum(g, 3, out)) == PG_OK);
    CHECK_NEAR(pg_grad(x[0]), sum, 1e-15);
    pg_graph_free(g);
}

static double point_loss(pg_mlp_criterion criterion, double z, double y)
{
    return criterion == PG_LOSS_MARGIN ? fmax(0.0, 1.0 - y * z) : log1p(exp(-fabs(z))) + fmax(z, 0.0) - z * y;
}

static void test_loss_of_a_batch_is_the_mean_over_its_points_and_the_penalty(void)
{
    const double X[] = {0.5, -1.0, 2.0, 0.25, -0.75, 1.5};
    for (int criterion = PG_LOSS_BCE_WITH_LOGITS; criterion <= PG_LOSS_MARGIN; criterion++) {
        const double y[] = {1.0, criterion == PG_LOSS_MARGIN ? -1.0 : 0.0, 1.0};
        for (int fused = 0; fused <= 1; fused++) {
            pg_graph *g = pg_graph_new();
            pg_mlp *mlp = pg_mlp_new(g, 2, (int64_t[]){2, 4, 1}, PG_OP_tanh, -1, 5);
            int64_t count;
            pg_value *const *params = pg_mlp_parameters(mlp, &count);
            double wanted = 0.0;
            for (int i = 0; i < 3; i++) {
                pg_value *output;
                CHECK(pg_mlp_forward(g, mlp, 1, X + 2 * i, &output) == PG_OK);
                wanted += point_loss((pg_mlp_criterion)criterion, pg_data(output), y[i]) / 3.0;
            }
            for (int64_t i = 0; i < count; i++)
                wanted += 0.01 * pg_data(params[i]) * pg_data(params[i]);
            pg_value *loss = pg_mlp_loss(g, mlp, fused, (pg_mlp_criterion)criterion, 0.01, 3, X, y);
            CHECK(loss != NULL && pg_backward(g, loss) == PG_OK);
            CHECK_NEAR(pg_data(loss), wanted, 1e-14);

            /* the derivative by one weight, against a central difference */
            pg_value *w = params[0];
            const double analytic = pg_grad(w), at = pg_data(w), step = 1e-6;
            double values[2];
            for (int side = 0; side < 2; side++) {
                pg_set_data(w, at + (side == 0 ? -step : step));
                values[side] = pg_data(pg_mlp_loss(g, mlp, fused, (pg_mlp_criterion)criterion, 0.01, 3, X, y));
            }
            CHECK_NEAR(analytic, (values[1] - values[0]) / (2.0 * step), 1e-8);
            pg_mlp_free(mlp);
            pg_graph_free(g);
        }
    }
}

static void test_loss_of_no_points_or_of_two_outputs_is_refused(void)
{
    pg_graph *g = pg_graph_new();
    pg_mlp *one = pg_mlp_new(g, 1, (int64_t[]){2, 1}, -1, -1, 0), *two = pg_mlp_new(g, 1, (int64_t[]){2, 2}, -1, -1, 0);
    const double x[] = {1.0, 2.0}, y[] = {1.0};
    CHECK(pg_mlp_loss(g, one, 1, PG_LOSS_MARGIN, 0.0, 0, x, y) == NULL);
    CHECK(pg_mlp_loss(g, two, 1, PG_LOSS_MARGIN, 0.0, 1, x, y) == NULL);
    CHECK_MESSAGE(strstr(pg_message(), "2 outputs") != NULL, "%s", pg_message());
    pg_mlp_free(one);
    pg_mlp_free(two);
    pg_graph_free(g);
}

int main(void)
{
    const int64_t before = pg_live_bytes();
    test_sizes_that_do_not_fit_are_refused_and_not_computed_with();
    test_perceptron_without_layers_is_refused_by_name();
    test_null_inputs_leave_a_message_that_names_the_op();
    test_layer_gives_what_its_neurons_give();
    test_loss_of_a_batch_is_the_mean_over_its_points_and_the_penalty();
    test_loss_of_no_points_or_of_two_outputs_is_refused();
    CHECK(pg_live_bytes() == before);
    return check_report("mlp");
}
