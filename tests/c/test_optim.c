/* Optimisers against their formulas, written out step by step for one parameter.
 *
 * Tolerance: a step is a dozen roundings on numbers under 10; 1e-14 times the number of steps, and more where a formula
 * is in closed form.
 */
#include "check.h"

enum { PARAMS = 5, STEPS = 20 };

typedef struct {
    pg_graph *g;
    pg_value *params[PARAMS];
    double wanted[PARAMS];
} problem;

static problem new_problem(void)
{
    problem p = {.g = pg_graph_new()};
    for (int i = 0; i < PARAMS; i++) {
        p.wanted[i] = 1.5 * i - 3.0;
        p.params[i] = pg_leaf(p.g, p.wanted[i]);
    }
    return p;
}

/* Gradients that change sign and size; the first parameter's is always 0. */
static double gradient(int64_t step, int i)
{
    return i * sin((double)(step * 7 + i)) * pow(10.0, i - 3);
}

static void set_gradients(problem *p, int64_t step)
{
    for (int i = 0; i < PARAMS; i++)
        pg_set_grad(p->params[i], gradient(step, i));
}

static void check_params(problem *p, int64_t step)
{
    for (int i = 0; i < PARAMS; i++) {
        CHECK_NEAR(pg_data(p->params[i]), p->wanted[i], 1e-14 * (double)step);
        CHECK_SAME(pg_grad(p->params[i]), gradient(step, i)); /* a step reads gradients and leaves them */
    }
}

static void check_sgd(pg_sgd sgd)
{
    problem p = new_problem();
    double state[PARAMS], m[PARAMS] = {0};
    for (int i = 0; i < PARAMS; i++)
        state[i] = NAN; /* what stands there before the first step does not matter */
    for (int64_t step = 1; step <= STEPS; step++) {
        set_gradients(&p, step);
        pg_sgd_step(&sgd, step, PARAMS, p.params, sgd.momentum != 0.0 ? state : NULL);
        for (int i = 0; i < PARAMS; i++) {
            const double d = gradient(step, i) + sgd.weight_decay * p.wanted[i];
            m[i] = step == 1 ? d : sgd.momentum * m[i] + (1 - sgd.dampening) * d;
            const double move = sgd.momentum == 0.0 ? d : sgd.nesterov ? d + sgd.momentum * m[i] : m[i];
            p.wanted[i] = p.wanted[i] - sgd.lr * move;
        }
        check_params(&p, step);
    }
    pg_graph_free(p.g);
}

static void test_sgd_in_all_its_forms(void)
{
    check_sgd((pg_sgd){.lr = 0.1});
    check_sgd((pg_sgd){.lr = 0.1, .weight_decay = 0.01});
    check_sgd((pg_sgd){.lr = 0.1, .momentum = 0.9});
    check_sgd((pg_sgd){.lr = 0.1, .momentum = 0.9, .dampening = 0.5});
    check_sgd((pg_sgd){.lr = 0.1, .momentum = 0.9, .weight_decay = 0.02, .nesterov = 1});
    check_sgd((pg_sgd){.lr = 0.0, .momentum = 0.9});
}

static void check_adam(pg_adam adam)
{
    problem p = new_problem();
    double m[PARAMS] = {0}, v[PARAMS] = {0};
    for (int64_t step = 1; step <= STEPS; step++) {
        set_gradients(&p, step);
        pg_adam_step(&adam, step, PARAMS, p.params, m, v);
        for (int i = 0; i < PARAMS; i++) {
            /* The moments as the sums that they are, from all gradients so far. There is no weight decay here: it
             * would need all parameters so far too. */
            double first = 0.0, second = 0.0;
            for (int64_t s = 1; s <= step; s++) {
                const double d = gradient(s, i);
                first += (1 - adam.beta1) * pow(adam.beta1, (double)(step - s)) * d;
                second += (1 - adam.beta2) * pow(adam.beta2, (double)(step - s)) * d * d;
            }
            first /= 1 - pow(adam.beta1, (double)step);
            second /= 1 - pow(adam.beta2, (double)step);
            p.wanted[i] -= adam.lr * first / (sqrt(second) + adam.eps);
        }
        check_params(&p, step);
    }
    pg_graph_free(p.g);
}

static void test_adam_is_bias_corrected_with_eps_outside_the_root(void)
{
    check_adam((pg_adam){.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8});
    check_adam((pg_adam){.lr = 0.01, .beta1 = 0.5, .beta2 = 0.9, .eps = 1e-2});
    check_adam((pg_adam){.lr = 0.1, .beta1 = 0.0, .beta2 = 0.0, .eps = 1e-8});
}

static void test_published_numbers_of_adam(void)
{
    const double gradients[] = {2.0, 1.5, 3.0}, wanted[] = {4.9, 4.801742, 4.704050};
    const pg_adam adam = {.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    pg_graph *g = pg_graph_new();
    pg_value *theta = pg_leaf(g, 5.0);
    double m = 0.0, v = 0.0;
    for (int step = 1; step <= 3; step++) {
        pg_set_grad(theta, gradients[step - 1]);
        pg_adam_step(&adam, step, 1, &theta, &m, &v);
        CHECK_NEAR(pg_data(theta), wanted[step - 1], 5e-7);
    }
    pg_graph_free(g);
}

static void test_weight_decay_of_adam_joins_the_gradient(void)
{
    const pg_adam decaying = {.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.5};
    const pg_adam plain = {.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    pg_graph *g = pg_graph_new();
    pg_value *a = pg_leaf(g, 2.0), *b = pg_leaf(g, 2.0);
    double m[2] = {0}, v[2] = {0};
    for (int64_t step = 1; step <= STEPS; step++) {
        pg_set_grad(a, cos((double)step));
        pg_set_grad(b, cos((double)step) + 0.5 * pg_data(b));
        pg_adam_step(&decaying, step, 1, &a, &m[0], &v[0]);
        pg_adam_step(&plain, step, 1, &b, &m[1], &v[1]);
        CHECK_NEAR(pg_data(a), pg_data(b), 1e-14);
    }
    pg_graph_free(g);
}

static void test_zero_grad_clears_the_parameters_it_is_given(void)
{
    problem p = new_problem();
    set_gradients(&p, 3);
    pg_zero_grad(PARAMS - 1, p.params);
    for (int i = 0; i < PARAMS - 1; i++)
        CHECK_SAME(pg_grad(p.params[i]), 0.0);
    CHECK_SAME(pg_grad(p.params[PARAMS - 1]), gradient(3, PARAMS - 1));
    pg_zero_grad(0, NULL);
    pg_sgd_step(&(pg_sgd){.lr = 1.0}, 1, 0, NULL, NULL);
    pg_adam_step(&(pg_adam){.lr = 1.0}, 1, 0, NULL, NULL, NULL);
    pg_graph_free(p.g);
}

/* The whole loop on a bowl: (x - 3)^2 + 10 (y + 1)^2. */
static void test_optimisers_find_the_bottom_of_a_bowl(void)
{
    for (int which = 0; which < 3; which++) {
        pg_graph *g = pg_graph_new();
        pg_value *params[2] = {pg_retain(pg_leaf(g, 0.0)), pg_retain(pg_leaf(g, 0.0))};
        double m[2] = {0}, v[2] = {0};
        for (int64_t step = 1; step <= 1000; step++) {
            pg_clear(g);
            pg_value *x = pg_binary_number(g, PG_OP_sub, params[0], 3.0);
            pg_value *y = pg_binary_number(g, PG_OP_add, params[1], 1.0);
            pg_value *loss = pg_add(g, pg_mul(g, x, x), pg_binary_number(g, PG_OP_mul, pg_mul(g, y, y), 10.0));
            pg_zero_grad(2, params);
            CHECK(pg_backward(g, loss) == PG_OK);
            if (which == 0)
                pg_sgd_step(&(pg_sgd){.lr = 0.02}, step, 2, params, NULL);
            else if (which == 1)
                pg_sgd_step(&(pg_sgd){.lr = 0.01, .momentum = 0.8, .nesterov = 1}, step, 2, params, m);
            else
                pg_adam_step(&(pg_adam){.lr = 0.05, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8}, step, 2, params, m, v);
        }
        CHECK_NEAR(pg_data(params[0]), 3.0, 1e-6);
        CHECK_NEAR(pg_data(params[1]), -1.0, 1e-6);
        pg_release(g, params[0]);
        pg_release(g, params[1]);
        pg_graph_free(g);
    }
}

int main(void)
{
    test_sgd_in_all_its_forms();
    test_adam_is_bias_corrected_with_eps_outside_the_root();
    test_published_numbers_of_adam();
    test_weight_decay_of_adam_joins_the_gradient();
    test_zero_grad_clears_the_parameters_it_is_given();
    test_optimisers_find_the_bottom_of_a_bowl();
    CHECK(pg_live_bytes() == 0);
    return check_report("optim");
}
