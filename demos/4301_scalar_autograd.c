/* 4301: scalar automatic differentiation in C, on two graphs that a reader can follow by hand.
 *
 *   (1) L = (a + b) * c
 *   (2) a logistic neuron: p = sigmoid(w * x + b), and L, the cross-entropy of p and the label y
 *
 * Every gradient is compared with the formula that the chain rule gives on paper.
 *
 * Input: nothing, or seven numbers, `a b c w x b y`:   echo "2 3 5  0.5 2 -0.3 1" | 4301_scalar_autograd
 * Exit status: 0; 1 when a comparison failed; 2 for bad input.
 */
#include "pygrad.h"
#include "support/stdin_numbers.h"

static const char program[] = "4301_scalar_autograd";

enum { MOST_ROWS = 16 };

/* The nodes of a graph in the order in which they were made, with what to call them. */
typedef struct {
    const char *name[MOST_ROWS], *made_by[MOST_ROWS];
    pg_value *node[MOST_ROWS];
    int rows;
} table;

static pg_value *row(table *t, const char *name, const char *made_by, pg_value *node)
{
    t->name[t->rows] = name;
    t->made_by[t->rows] = made_by;
    t->node[t->rows++] = node;
    return node;
}

static void print_table(const table *t)
{
    printf("    %-6s  %-19s  %14s  %14s\n", "node", "made by", "data", "grad = dL/dnode");
    for (int i = 0; i < t->rows; i++)
        printf("    %-6s  %-19s  %14.6f  %14.6f\n", t->name[i], t->made_by[i], pg_data(t->node[i]),
               pg_grad(t->node[i]));
    printf("\n    %-27s  %14s  %14s\n", "by hand", "", "backward");
}

static int failures;

/* Tolerance: what is printed here loses at most six of its sixteen digits in log(p); see logistic_neuron. */
static void compare(const char *what, double by_hand, double actual)
{
    const bool equal = fabs(actual - by_hand) <= 1e-9 * fmax(1.0, fabs(by_hand));
    printf("    %-27s  %14.6f  %14.6f  %s\n", what, by_hand, actual, equal ? "ok" : "WRONG");
    failures += !equal;
}

static void backward(pg_graph *g, pg_value *root)
{
    if (pg_backward(g, root) == PG_OK)
        return;
    fprintf(stderr, "%s: %s\n", program, pg_message());
    exit(1);
}

static void sum_times_number(pg_graph *g, double a_data, double b_data, double c_data)
{
    table t = {.rows = 0};
    pg_value *a = row(&t, "a", "", pg_leaf(g, a_data));
    pg_value *b = row(&t, "b", "", pg_leaf(g, b_data));
    pg_value *c = row(&t, "c", "", pg_leaf(g, c_data));
    pg_value *d = row(&t, "d", "a + b", pg_add(g, a, b));
    pg_value *loss = row(&t, "L", "d * c", pg_mul(g, d, c));
    backward(g, loss);

    printf("(1) L = (a + b) * c\n\n");
    print_table(&t);
    compare("L = (a + b) * c", (a_data + b_data) * c_data, pg_data(loss));
    compare("dL/da = c", c_data, pg_grad(a));
    compare("dL/db = c", c_data, pg_grad(b));
    compare("dL/dc = a + b", a_data + b_data, pg_grad(c));
}

/* -(y * log(p) + (1 - y) * log(1 - p)), of which a label of 0 or 1 leaves one term. */
static pg_value *cross_entropy(pg_graph *g, table *t, pg_value *p, double y)
{
    pg_value *log_p = NULL, *log_q = NULL;
    if (y > 0.0)
        log_p = row(t, "log p", "log(p)", pg_log(g, p));
    if (y < 1.0) {
        pg_value *q = row(t, "q", "1 - p", pg_number_binary(g, PG_OP_sub, 1.0, p));
        log_q = row(t, "log q", "log(q)", pg_log(g, q));
    }
    if (y == 1.0)
        return row(t, "L", "-log p", pg_neg(g, log_p));
    if (y == 0.0)
        return row(t, "L", "-log q", pg_neg(g, log_q));
    pg_value *first = row(t, "s", "y * log p", pg_number_binary(g, PG_OP_mul, y, log_p));
    pg_value *second = row(t, "t", "(1 - y) * log q", pg_number_binary(g, PG_OP_mul, 1.0 - y, log_q));
    pg_value *sum = row(t, "u", "s + t", pg_add(g, first, second));
    return row(t, "L", "-u", pg_neg(g, sum));
}

static void logistic_neuron(pg_graph *g, double w_data, double x_data, double b_data, double y)
{
    table t = {.rows = 0};
    pg_value *w = row(&t, "w", "", pg_leaf(g, w_data));
    pg_value *x = row(&t, "x", "", pg_leaf(g, x_data));
    pg_value *b = row(&t, "b", "", pg_leaf(g, b_data));
    pg_value *wx = row(&t, "wx", "w * x", pg_mul(g, w, x));
    pg_value *z = row(&t, "z", "wx + b", pg_add(g, wx, b));

    /* p near 1 is rounded to a multiple of 1e-16, so 1 - p has lost six of its digits at z = 15 and all of them from
     * z = 37 on, where log(1 - p) becomes infinite. The loss that is computed from z has no such limit. */
    const bool from_p = fabs(pg_data(z)) <= 15.0;
    pg_value *p = pg_sigmoid(g, z), *from_z = pg_binary_number(g, PG_OP_bce_with_logits, z, y);
    if (from_p)
        row(&t, "p", "sigmoid(z)", p);
    pg_value *loss = from_p ? cross_entropy(g, &t, p, y) : row(&t, "L", "bce_with_logits(z)", from_z);
    backward(g, loss);

    printf("\n(2) a logistic neuron: p = sigmoid(w * x + b), L = the cross-entropy of p and y = %g\n\n", y);
    if (!from_p)
        printf("    z is so far from 0 that log(p) or log(1 - p) loses its digits: L is computed from z itself.\n\n");
    print_table(&t);
    const double zd = pg_data(z), pd = 1.0 / (1.0 + exp(-zd));
    compare("z = w * x + b", w_data * x_data + b_data, zd);
    compare("p = 1 / (1 + exp(-z))", pd, pg_data(p));
    compare("L = log(1 + exp(z)) - y * z", fmax(zd, 0.0) - y * zd + log1p(exp(-fabs(zd))), pg_data(loss));
    compare("dL/dz = p - y", pd - y, pg_grad(z));
    compare("dL/dw = (p - y) * x", (pd - y) * x_data, pg_grad(w));
    compare("dL/dx = (p - y) * w", (pd - y) * w_data, pg_grad(x));
    compare("dL/db = p - y", pd - y, pg_grad(b));

    pg_set_grad(w, 0.0);
    backward(g, from_z);
    printf("\n    the same from z in one node, bce_with_logits(z):\n");
    compare("L", pg_data(loss), pg_data(from_z));
    compare("dL/dw", (pd - y) * x_data, pg_grad(w));
}

int main(int argc, char **argv)
{
    number_wanted in[] = {
        {"a", 2.0, -1e6, 1e6, ANY_NUMBER}, {"b", 3.0, -1e6, 1e6, ANY_NUMBER}, {"c", 5.0, -1e6, 1e6, ANY_NUMBER},
        {"w", 0.5, -1e6, 1e6, ANY_NUMBER}, {"x", 2.0, -1e6, 1e6, ANY_NUMBER}, {"b", -0.3, -1e6, 1e6, ANY_NUMBER},
        {"y", 1.0, 0.0, 1.0, ANY_NUMBER},
    };
    if (argc > 1) {
        fprintf(stderr, "%s: no arguments are wanted, not '%.40s'; numbers are read from standard input\n", program,
                argv[1]);
        return 2;
    }
    read_numbers(program, 7, in);

    pg_graph *g = pg_graph_new();
    if (g == NULL) {
        fprintf(stderr, "%s: %s\n", program, pg_message());
        return 1;
    }
    printf("4301: scalar automatic differentiation\n\n");
    sum_times_number(g, in[0].value, in[1].value, in[2].value);
    logistic_neuron(g, in[3].value, in[4].value, in[5].value, in[6].value);
    pg_graph_free(g);
    if (failures > 0)
        fprintf(stderr, "%s: %d comparisons with the calculation by hand failed\n", program, failures);
    return failures > 0;
}
