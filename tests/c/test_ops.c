/* Every row of the op table: its value against a formula of another form in long double, its derivative by both inputs
 * against differences of that formula, its edges against what PyTorch does there, its builders.
 *
 * Tolerances. A row is a handful of libm calls and roundings on numbers up to about 20: 32 units in the last place.
 * The five-point difference with h = 1e-4 has a truncation error of h^4/30 |f'''''|, 1e-11 where it is worst (a to the
 * power -2 at 0.3), and where long double is no wider than double (arm64 macOS, valgrind) a rounding error of about
 * 1e-12 |f|: 1e-9 has room for both.
 */
#include "check.h"
#include "oracle.h"

#include <float.h>

/* ---- rows against the oracle --------------------------------------------------------------------------------- */

static void check_point(int op, const oracle *o, double a, double b)
{
    const pg_op_info *row = pg_op_row(op);
    const double y = pg_op_value(op, a, b), wanted = (double)o->value(a, b);
    CHECK_MESSAGE(check_near(y, wanted, 32 * DBL_EPSILON * fmax(1.0, fabs(wanted))),
                  "%s(%.17g, %.17g) = %.17g, not %.17g", row->name, a, b, y, wanted);
    const double g = -1.75;
    double by[2];
    pg_op_gradient(op, g, a, b, y, by);
    for (int input = 0; input < 2; input++) {
        const double d = input < row->arity ? (double)(g * difference(o, a, b, input)) : 0.0;
        CHECK_MESSAGE(fabs(by[input] - d) <= 1e-9 * fmax(1.0, fabs(d)),
                      "derivative of %s(%.17g, %.17g) by input %d is %.17g, not %.17g", row->name, a, b, input,
                      by[input], d);
    }
}

static void check_box(int op, const oracle *o, const double box[2][2], pg_rng *rng)
{
    for (int i = 0; i < 200; i++) {
        double a, b;
        pg_rng_uniform(rng, box[0][0], box[0][1], 1, &a);
        pg_rng_uniform(rng, box[1][0], box[1][1], 1, &b);
        check_point(op, o, a, b);
    }
}

static void test_values_and_derivatives_match_the_oracle(void)
{
    pg_rng rng;
    pg_rng_seed(&rng, 1);
    for (int op = 0; op < pg_op_count(); op++) {
        const pg_op_info *row = pg_op_row(op);
        const oracle *o = oracle_for(row->name);
        CHECK_MESSAGE(o != NULL, "no oracle for %s: write one in oracle.h", row->name);
        if (o == NULL)
            continue;
        check_box(op, o, row->domain, &rng);
        for (int box = 0; box < 2; box++)
            if (o->more[box][0][0] != o->more[box][0][1])
                check_box(op, o, o->more[box], &rng);
    }
    CHECK((int)(sizeof oracles / sizeof *oracles) == pg_op_count());
}

static void test_rows_can_be_found_and_say_what_they_are(void)
{
    for (int op = 0; op < pg_op_count(); op++) {
        const pg_op_info *row = pg_op_row(op);
        CHECK_MESSAGE(pg_op_find(row->name) == op, "%s", row->name);
        CHECK_MESSAGE(row->symbol[0] != '\0' && row->doc[0] != '\0', "%s", row->name);
        CHECK_MESSAGE(row->arity == 1 || row->arity == 2, "%s", row->name);
        for (int input = 0; input < row->arity; input++)
            CHECK_MESSAGE(row->domain[input][0] < row->domain[input][1], "%s", row->name);
    }
    CHECK(pg_op_find("no such op") == -1 && pg_op_find("") == -1);
    CHECK(pg_op_row(-1) == NULL && pg_op_row(pg_op_count()) == NULL);
    CHECK_SAME(pg_op_value(pg_op_count(), 1.0, 1.0), NAN);
    double by[2] = {0, 0};
    pg_op_gradient(-1, 1.0, 1.0, 1.0, 1.0, by);
    CHECK(isnan(by[0]) && isnan(by[1]));
}

/* A row must not read what it says it does not save: an engine is free to have thrown that away. */
static void test_backward_reads_only_what_a_row_saves(void)
{
    for (int op = 0; op < pg_op_count(); op++) {
        const pg_op_info *row = pg_op_row(op);
        const double a = (row->domain[0][0] + row->domain[0][1]) / 2 + 0.01;
        const double b = (row->domain[1][0] + row->domain[1][1]) / 2 + 0.01;
        const double y = pg_op_value(op, a, b);
        const bool inputs = row->saves == PG_SAVES_INPUT, output = row->saves == PG_SAVES_OUTPUT;
        double all[2], saved[2];
        pg_op_gradient(op, 1.0, a, b, y, all);
        pg_op_gradient(op, 1.0, inputs ? a : NAN, inputs ? b : NAN, output ? y : NAN, saved);
        CHECK_MESSAGE(check_same(all[0], saved[0]) && check_same(all[1], saved[1]), "%s", row->name);
    }
}

/* ---- edges --------------------------------------------------------------------------------------------------- */

enum { ANY = 77 }; /* not looked at */

static void check_edge(int op, double a, double b, double y, double da, double db)
{
    const char *name = pg_op_row(op)->name;
    const double value = pg_op_value(op, a, b);
    double by[2];
    pg_op_gradient(op, 1.0, a, b, value, by);
    CHECK_MESSAGE(y == ANY || check_same(value, y), "%s(%g, %g) = %.17g, not %.17g", name, a, b, value, y);
    /* + 0.0: the sign of a derivative of 0 is of no matter, because it is added to a gradient */
    CHECK_MESSAGE(da == ANY || check_same(by[0] + 0.0, da), "%s(%g, %g): da = %.17g, not %.17g", name, a, b, by[0], da);
    CHECK_MESSAGE(db == ANY || check_same(by[1] + 0.0, db), "%s(%g, %g): db = %.17g, not %.17g", name, a, b, by[1], db);
}

static void check_edge1(int op, double a, double y, double da)
{
    check_edge(op, a, 0.0, y, da, 0.0);
}

static void test_edges_of_unary_ops_are_those_of_pytorch(void)
{
    const double inf = INFINITY, nan = NAN;
    check_edge1(PG_OP_relu, 0.0, 0.0, 0.0);
    check_edge1(PG_OP_relu, -0.0, -0.0, 0.0);
    check_edge1(PG_OP_relu, nan, nan, 1.0);
    check_edge1(PG_OP_relu, inf, inf, 1.0);
    check_edge1(PG_OP_relu, -inf, 0.0, 0.0);
    check_edge1(PG_OP_relu6, 0.0, 0.0, 0.0);
    check_edge1(PG_OP_relu6, 6.0, 6.0, 0.0);
    check_edge1(PG_OP_relu6, nan, nan, ANY);
    check_edge1(PG_OP_hardtanh, -1.0, -1.0, 0.0);
    check_edge1(PG_OP_hardtanh, 1.0, 1.0, 0.0);
    check_edge1(PG_OP_hardtanh, nan, nan, ANY);
    check_edge1(PG_OP_abs, 0.0, 0.0, 0.0);
    check_edge1(PG_OP_abs, -0.0, 0.0, 0.0);
    check_edge1(PG_OP_abs, nan, nan, 0.0);
    check_edge1(PG_OP_sign, 0.0, 0.0, 0.0);
    check_edge1(PG_OP_sqrt, 0.0, 0.0, inf);
    check_edge1(PG_OP_sqrt, -1.0, nan, nan);
    check_edge1(PG_OP_sqrt, inf, inf, 0.0);
    check_edge1(PG_OP_log, 0.0, -inf, inf);
    check_edge1(PG_OP_log, -1.0, nan, -1.0);
    check_edge1(PG_OP_log1p, -1.0, -inf, inf);
    check_edge1(PG_OP_log1p, 1e-300, 1e-300, 1.0);
    check_edge1(PG_OP_expm1, 1e-300, 1e-300, 1.0);
    check_edge1(PG_OP_exp, 1000.0, inf, inf);
    check_edge1(PG_OP_exp, -1000.0, 0.0, 0.0);
    check_edge1(PG_OP_sigmoid, 1000.0, 1.0, 0.0);
    check_edge1(PG_OP_sigmoid, -1000.0, 0.0, 0.0);
    check_edge1(PG_OP_sigmoid, 0.0, 0.5, 0.25);
    check_edge1(PG_OP_tanh, 1000.0, 1.0, 0.0);
    check_edge1(PG_OP_logsigmoid, -1000.0, -1000.0, 1.0);
    check_edge1(PG_OP_logsigmoid, 1000.0, ANY, 0.0);
    check_edge1(PG_OP_gelu, 0.0, 0.0, 0.5);
    check_edge1(PG_OP_gelu, 1000.0, 1000.0, 1.0);
    check_edge1(PG_OP_gelu, -1000.0, -0.0, 0.0);
    check_edge1(PG_OP_silu, -1000.0, -0.0, 0.0);
    check_edge1(PG_OP_silu, 1000.0, 1000.0, 1.0);
    check_edge1(PG_OP_softplus, 21.0, 21.0, 1.0);
    check_edge1(PG_OP_softplus, -1000.0, 0.0, 0.0);
    check_edge1(PG_OP_mish, 1000.0, 1000.0, 1.0);
    check_edge1(PG_OP_selu, 0.0, 0.0, 1.7580993408473768599402175208123);
}

static void test_edges_of_binary_ops_are_those_of_pytorch(void)
{
    const double inf = INFINITY, nan = NAN;
    check_edge(PG_OP_div, 1.0, 0.0, inf, inf, -inf);
    check_edge(PG_OP_div, 0.0, 0.0, nan, inf, nan);
    check_edge(PG_OP_pow, 0.0, 0.0, 1.0, 0.0, 0.0);
    check_edge(PG_OP_pow, nan, 0.0, 1.0, 0.0, ANY);
    check_edge(PG_OP_pow, 0.0, 1.0, 0.0, 1.0, 0.0);
    check_edge(PG_OP_pow, 0.0, 2.0, 0.0, 0.0, 0.0);
    check_edge(PG_OP_pow, 0.0, 0.5, 0.0, inf, 0.0);
    check_edge(PG_OP_pow, 0.0, -1.0, inf, -inf, -inf);
    check_edge(PG_OP_pow, -2.0, 2.0, 4.0, -4.0, nan);
    check_edge(PG_OP_pow, -2.0, 3.0, -8.0, 12.0, nan);
    check_edge(PG_OP_maximum, 2.0, 2.0, 2.0, 0.5, 0.5);
    check_edge(PG_OP_minimum, 2.0, 2.0, 2.0, 0.5, 0.5);
    check_edge(PG_OP_maximum, nan, 2.0, nan, 1.0, 1.0);
    check_edge(PG_OP_maximum, 2.0, nan, nan, 1.0, 1.0);
    check_edge(PG_OP_minimum, nan, 2.0, nan, 1.0, 1.0);
    check_edge(PG_OP_minimum, 2.0, nan, nan, 1.0, 1.0);
    check_edge(PG_OP_leaky_relu, 0.0, 0.01, 0.0, 0.01, 0.0);
    check_edge(PG_OP_elu, 0.0, 1.0, 0.0, 1.0, 0.0);
    check_edge(PG_OP_elu, -1000.0, 1.0, -1.0, 0.0, -1.0);
    check_edge(PG_OP_bce_with_logits, 1000.0, 1.0, 0.0, 0.0, -1000.0);
    check_edge(PG_OP_bce_with_logits, -1000.0, 1.0, 1000.0, -1.0, 1000.0);
    check_edge(PG_OP_bce_with_logits, 1000.0, 0.0, 1000.0, 1.0, -1000.0);
    check_edge(PG_OP_bce_with_logits, -1000.0, 0.0, 0.0, 0.0, 1000.0);
    check_edge(PG_OP_bce_with_logits, 0.0, 1.0, log1p(1.0), -0.5, 0.0);
}

static void test_no_op_makes_nan_of_a_large_finite_input(void)
{
    const double large[] = {-1e4, -1000.0, -100.0, 100.0, 1000.0, 1e4};
    for (int op = 0; op < pg_op_count(); op++) {
        const pg_op_info *row = pg_op_row(op);
        const bool positive_only = op == PG_OP_log || op == PG_OP_log2 || op == PG_OP_log10 || op == PG_OP_log1p ||
                                   op == PG_OP_sqrt || op == PG_OP_rsqrt || op == PG_OP_pow;
        if (op == PG_OP_asin || op == PG_OP_acos)
            continue; /* nothing large is in their domain */
        for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
            double a = large[i], by[2];
            if (positive_only && a < 0)
                continue;
            double y = pg_op_value(op, a, 1.0);
            pg_op_gradient(op, 1.0, a, 1.0, y, by);
            CHECK_MESSAGE(!isnan(y) && !isnan(by[0]) && !isnan(by[1]), "%s(%g): %g, %g, %g", row->name, a, y, by[0],
                          by[1]);
        }
    }
}

static double slope(int op, double a)
{
    double by[2];
    pg_op_gradient(op, 1.0, a, 0.0, pg_op_value(op, a, 0.0), by);
    return by[0];
}

static void test_published_numbers_of_activations(void)
{
    const double x[] = {-2.0, 0.0, 0.75, 3.0};
    const double s[] = {0.119203, 0.5, 0.679179, 0.952574}, ds[] = {0.104994, 0.25, 0.217895, 0.045177};
    for (int i = 0; i < 4; i++) {
        CHECK_NEAR(pg_op_value(PG_OP_sigmoid, x[i], 0), s[i], 5e-7);
        CHECK_NEAR(slope(PG_OP_sigmoid, x[i]), ds[i], 5e-7);
    }
    CHECK_NEAR(pg_op_value(PG_OP_gelu, -0.75179, 0), -0.16997, 5e-6);
    CHECK_NEAR(slope(PG_OP_gelu, -0.75179), 0.0, 5e-6);
    CHECK_NEAR(slope(PG_OP_gelu, sqrt(2.0)), 1.12890, 5e-6);
    CHECK_NEAR(slope(PG_OP_gelu, -sqrt(2.0)), -0.12890, 5e-6);
    CHECK_NEAR(pg_op_value(PG_OP_silu, -1.27846, 0), -0.27846, 5e-6);
    CHECK_NEAR(slope(PG_OP_silu, -1.27846), 0.0, 5e-6);
    CHECK_NEAR(slope(PG_OP_sigmoid, 2.063), 0.1, 5e-5);
    CHECK_NEAR(slope(PG_OP_tanh, 1.818), 0.1, 1e-4);
}

/* ---- rows in a graph ----------------------------------------------------------------------------------------- */

static void check_grads(pg_graph *g, int op, pg_value *y, pg_value *a, pg_value *b, const double by[2])
{
    CHECK(pg_backward(g, y) == PG_OK);
    CHECK_MESSAGE(a == NULL || check_same(pg_grad(a), by[0] + 0.0), "%s", pg_op_row(op)->name);
    CHECK_MESSAGE(b == NULL || check_same(pg_grad(b), by[1] + 0.0), "%s", pg_op_row(op)->name);
    if (a != NULL)
        pg_set_grad(a, 0.0);
    if (b != NULL)
        pg_set_grad(b, 0.0);
}

static void test_graphs_compute_what_the_table_says(void)
{
    pg_graph *g = pg_graph_new();
    for (int op = 0; op < pg_op_count(); op++, pg_clear(g)) {
        const pg_op_info *row = pg_op_row(op);
        const double x = row->domain[0][0] / 3 + row->domain[0][1] / 1.5;
        const double z = row->domain[1][0] / 1.5 + row->domain[1][1] / 3, y = pg_op_value(op, x, z);
        pg_value *a = pg_leaf(g, x), *b = pg_leaf(g, z);
        double by[2];
        pg_op_gradient(op, 1.0, x, z, y, by);
        if (row->arity == 1) {
            pg_value *v = pg_unary(g, op, a);
            CHECK_SAME(pg_data(v), y);
            check_grads(g, op, v, a, NULL, by);
            continue;
        }
        pg_value *both = pg_binary(g, op, a, b);
        pg_value *first = pg_binary_number(g, op, a, z), *second = pg_number_binary(g, op, x, b);
        CHECK_SAME(pg_data(both), y);
        CHECK_SAME(pg_data(first), y);
        CHECK_SAME(pg_data(second), y);
        check_grads(g, op, both, a, b, by);
        check_grads(g, op, first, a, NULL, by);
        check_grads(g, op, second, NULL, b, by);
    }
    pg_graph_free(g);
}

static void check_builder(pg_graph *g, int op, const char *name, pg_value *v)
{
    CHECK_MESSAGE(pg_op_find(name) == op, "%s", name);
    CHECK_MESSAGE(v != NULL && check_same(pg_data(v), pg_op_value(op, 0.75, 0.5)), "pg_%s", name);
    pg_clear(g);
}

static void test_every_row_has_its_builder(void)
{
    pg_graph *g = pg_graph_new();
#define UNARY(name, ...) check_builder(g, PG_OP_##name, #name, pg_##name(g, pg_leaf(g, 0.75)));
#define BINARY(name, ...) check_builder(g, PG_OP_##name, #name, pg_##name(g, pg_leaf(g, 0.75), pg_leaf(g, 0.5)));
#include "ops/ops.def"
#undef UNARY
#undef BINARY
    pg_graph_free(g);
}

int main(void)
{
    test_values_and_derivatives_match_the_oracle();
    test_rows_can_be_found_and_say_what_they_are();
    test_backward_reads_only_what_a_row_saves();
    test_edges_of_unary_ops_are_those_of_pytorch();
    test_edges_of_binary_ops_are_those_of_pytorch();
    test_no_op_makes_nan_of_a_large_finite_input();
    test_published_numbers_of_activations();
    test_graphs_compute_what_the_table_says();
    test_every_row_has_its_builder();
    return check_report("ops");
}
