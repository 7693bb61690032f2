/* Tensors from C alone: gradients against central differences, a training, failures, depth. */
#include "check.h"

#include "pygrad_tensor.h"

#include <stdlib.h>

static const double *doubles(const pg_tensor *t)
{
    return pg_tensor_data(t);
}

static pg_tensor *from_doubles(int ndim, const int64_t *shape, const double *values, bool requires_grad)
{
    pg_tensor *t = pg_tensor_empty(PG_FLOAT64, ndim, shape);
    memcpy(pg_tensor_data(t), values, (size_t)pg_tensor_numel(t) * sizeof *values);
    pg_tensor_set_requires_grad(t, requires_grad);
    return t;
}

/* ---- the example of the header ------------------------------------------------------------------------------------- */

static void check_example(void)
{
    const int64_t shape[] = {2, 2};
    pg_tensor *x = pg_tensor_full(PG_FLOAT32, 2, shape, 3.0);
    pg_tensor_set_requires_grad(x, 1);
    pg_tensor *y = pg_tensor_binary(PG_OP_mul, x, x), *loss = pg_tensor_sum(y, 0, NULL, 0);
    CHECK(pg_tensor_backward(loss, NULL, 0) == PG_OK);
    for (int i = 0; i < 4; i++)
        CHECK_SAME(((const float *)pg_tensor_data(pg_tensor_grad(x)))[i], 6.0);
    CHECK(pg_tensor_backward(loss, NULL, 0) == PG_BAD_STATE && strstr(pg_message(), "second time") != NULL);
    pg_tensor_release(loss);
    pg_tensor_release(y);
    pg_tensor_release(x);
}

/* ---- every row of the op table, broadcast, against differences ----------------------------------------------------- */

/* The sum of row `op` over a[2, 3] and b[3], each element weighted by its number. */
static double weighted(int op, const double *a, const double *b)
{
    double sum = 0.0;
    for (int i = 0; i < 6; i++)
        sum += (i + 1) * pg_op_value(op, a[i], b[i % 3]);
    return sum;
}

static void check_row(int op)
{
    const pg_op_info *const row = pg_op_row(op);
    const int64_t shape[] = {2, 3};
    const double eps = 1e-6, weights[] = {1, 2, 3, 4, 5, 6};
    double a[6], b[3];
    for (int i = 0; i < 6; i++)
        a[i] = row->domain[0][0] + (row->domain[0][1] - row->domain[0][0]) * (i + 1) / 7.0;
    for (int i = 0; i < 3; i++)
        b[i] = row->arity == 2 ? row->domain[1][0] + (row->domain[1][1] - row->domain[1][0]) * (i + 1) / 4.0 : 0.0;
    pg_tensor *ta = from_doubles(2, shape, a, true), *tb = from_doubles(1, shape + 1, b, true);
    pg_tensor *y = row->arity == 1 ? pg_tensor_unary(op, ta) : pg_tensor_binary(op, ta, tb);
    pg_tensor *cotangent = from_doubles(2, shape, weights, false);
    CHECK(pg_tensor_backward(y, cotangent, 0) == PG_OK);
    for (int i = 0; i < 6; i++) {
        double up[6], down[6];
        memcpy(up, a, sizeof up);
        memcpy(down, a, sizeof down);
        up[i] += eps;
        down[i] -= eps;
        const double slope = (weighted(op, up, b) - weighted(op, down, b)) / (2 * eps);
        CHECK_SAME(doubles(y)[i], pg_op_value(op, a[i], b[i % 3]));
        CHECK_MESSAGE(check_near(doubles(pg_tensor_grad(ta))[i], slope, 1e-6 * (1 + fabs(slope))), "%s: %g, not %g",
                      row->name, doubles(pg_tensor_grad(ta))[i], slope);
    }
    for (int i = 0; i < 3 && row->arity == 2; i++) {
        double up[3], down[3];
        memcpy(up, b, sizeof up);
        memcpy(down, b, sizeof down);
        up[i] += eps;
        down[i] -= eps;
        const double slope = (weighted(op, a, up) - weighted(op, a, down)) / (2 * eps);
        CHECK_MESSAGE(check_near(doubles(pg_tensor_grad(tb))[i], slope, 1e-6 * (1 + fabs(slope))), "%s: %g, not %g",
                      row->name, doubles(pg_tensor_grad(tb))[i], slope);
    }
    pg_tensor_release(cotangent);
    pg_tensor_release(y);
    pg_tensor_release(tb);
    pg_tensor_release(ta);
}

/* ---- XOR ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    pg_tensor *x, *y, *w1, *b1, *w2, *b2;
} network;

static network make_network(void)
{
    const int64_t x_shape[] = {4, 2}, y_shape[] = {4, 1}, w1_shape[] = {16, 2}, w2_shape[] = {1, 16};
    pg_rng rng;
    pg_rng_seed(&rng, 1);
    network n = {
        .x = from_doubles(2, x_shape, (double[]){0, 0, 0, 1, 1, 0, 1, 1}, false),
        .y = from_doubles(2, y_shape, (double[]){0, 1, 1, 0}, false),
        .w1 = pg_tensor_randn(PG_FLOAT64, 2, w1_shape, &rng),
        .b1 = pg_tensor_full(PG_FLOAT64, 1, w1_shape, 0.0),
        .w2 = pg_tensor_randn(PG_FLOAT64, 2, w2_shape, &rng),
        .b2 = pg_tensor_full(PG_FLOAT64, 1, w2_shape, 0.0),
    };
    pg_tensor *const parameters[] = {n.w1, n.b1, n.w2, n.b2};
    for (int i = 0; i < 4; i++)
        pg_tensor_set_requires_grad(parameters[i], 1);
    return n;
}

static void free_network(network *n)
{
    pg_tensor *const all[] = {n->x, n->y, n->w1, n->b1, n->w2, n->b2};
    for (int i = 0; i < 6; i++)
        pg_tensor_release(all[i]);
}

static pg_status step(const network *n, double *loss)
{
    pg_tensor *h = pg_tensor_linear(n->x, n->w1, n->b1), *a = pg_tensor_unary(PG_OP_relu, h);
    pg_tensor *z = pg_tensor_linear(a, n->w2, n->b2);
    pg_tensor *l = z == NULL ? NULL : pg_tensor_binary_cross_entropy_with_logits(z, n->y, NULL, NULL, PG_MEAN);
    pg_status status = l == NULL ? pg_failure() : pg_tensor_backward(l, NULL, 0);
    if (status == PG_OK) {
        *loss = *doubles(l);
        pg_tensor *const parameters[] = {n->w1, n->b1, n->w2, n->b2};
        for (int i = 0; i < 4; i++) {
            double *p = pg_tensor_data(parameters[i]);
            for (int64_t k = 0; k < pg_tensor_numel(parameters[i]); k++)
                p[k] -= 0.5 * doubles(pg_tensor_grad(parameters[i]))[k];
            pg_tensor_set_grad(parameters[i], NULL);
        }
    }
    pg_tensor_release(l);
    pg_tensor_release(z);
    pg_tensor_release(a);
    pg_tensor_release(h);
    return status;
}

static void check_training(void)
{
    network n = make_network();
    double first = 0.0, last = 0.0;
    CHECK(step(&n, &first) == PG_OK);
    const int64_t held = pg_live_bytes() - pg_cached_bytes();
    for (int i = 0; i < 500; i++)
        CHECK(step(&n, &last) == PG_OK);
    CHECK(pg_live_bytes() - pg_cached_bytes() == held);
    CHECK_MESSAGE(last < 0.05 && last < first, "the loss went from %g to %g", first, last);
    free_network(&n);
}

/* Every allocation of a step fails in turn: that is reported, nothing is lost, and the next step works. */
static void check_failures_of_memory(void)
{
    network n = make_network();
    double loss;
    CHECK(step(&n, &loss) == PG_OK);
    const int64_t held = pg_live_bytes() - pg_cached_bytes();
    int failed = 0;
    for (int nth = 1; nth < 10000; nth++) {
        pg_fail_allocation(nth, 0);
        const pg_status status = step(&n, &loss);
        pg_fail_allocation(0, 0);
        pg_tensor *const parameters[] = {n.w1, n.b1, n.w2, n.b2};
        for (int i = 0; i < 4; i++)
            pg_tensor_set_grad(parameters[i], NULL); /* what had arrived before */
        CHECK(pg_live_bytes() - pg_cached_bytes() == held);
        if (status == PG_OK)
            break;
        CHECK(status == PG_NO_MEMORY);
        failed++;
    }
    CHECK_MESSAGE(failed > 20, "only %d allocations", failed);
    CHECK(step(&n, &loss) == PG_OK);
    free_network(&n);
}

/* ---- depth --------------------------------------------------------------------------------------------------------- */

static void check_depth(void)
{
    const int depth = CHECK_SLOW ? 20000 : 1000000;
    const int64_t held = pg_live_bytes() - pg_cached_bytes();
    pg_tensor *x = from_doubles(0, NULL, (double[]){1.0}, true), *y = pg_tensor_retain(x);
    for (int i = 0; i < depth; i++) {
        pg_tensor *next = pg_tensor_binary_number(PG_OP_add, y, 1.0);
        pg_tensor_release(y);
        y = next;
    }
    CHECK(pg_tensor_backward(y, NULL, 0) == PG_OK);
    CHECK_SAME(*doubles(y), depth + 1.0);
    CHECK_SAME(*doubles(pg_tensor_grad(x)), 1.0);
    pg_tensor_release(y);
    pg_tensor_release(x);
    CHECK(pg_live_bytes() - pg_cached_bytes() == held);
}

int main(void)
{
    check_example();
    for (int op = 0; op < pg_op_count(); op++)
        check_row(op);
    check_training();
    check_failures_of_memory();
    check_depth();
    pg_empty_cache();
    CHECK(pg_live_bytes() == 0);
    return check_report("tensor");
}
