/* Optimiser kernels over spans, against their formulas in float64, written out for one element.
 *
 * Tolerances: a step is a dozen roundings of numbers under 10 and of moves under 1; 16 units of the last place of 10 in
 * the type of the span, times the number of steps.
 */
#include "check.h"

#include "ops/optim_span.h"

#include <float.h>

/* No multiple of any vector's length. Behind the spans stands an element that must not be touched. */
enum { N = 37, STEPS = 20 };

static const double SENTINEL = 12345.0;

static double gradient(int64_t step, int i)
{
    return i % 5 * sin((double)(step * 7 + i)) * pow(10.0, i % 5 - 3);
}

/* The same spans in both types. */
typedef struct {
    float p32[N + 1], g32[N + 1], m32[N + 1], v32[N + 1];
    double p64[N + 1], g64[N + 1], m64[N + 1], v64[N + 1];
    double p[N], m[N], v[N]; /* by the formula */
} spans;

static spans new_spans(double state)
{
    spans s;
    for (int i = 0; i <= N; i++) {
        const double start = i < N ? i % 7 - 3.0 : SENTINEL;
        s.p32[i] = (float)(s.p64[i] = start);
        s.m32[i] = (float)(s.m64[i] = i < N ? state : SENTINEL);
        s.v32[i] = (float)(s.v64[i] = i < N ? state : SENTINEL);
        s.g32[i] = (float)(s.g64[i] = SENTINEL);
        if (i < N) {
            s.p[i] = start;
            s.m[i] = s.v[i] = 0.0;
        }
    }
    return s;
}

static void set_gradients(spans *s, int64_t step)
{
    for (int i = 0; i < N; i++)
        s->g64[i] = s->g32[i] = (float)gradient(step, i); /* the very same number in both */
}

static void check_spans(const spans *s, int64_t step)
{
    for (int i = 0; i < N; i++) {
        CHECK_NEAR(s->p64[i], s->p[i], 160 * DBL_EPSILON * (double)step);
        CHECK_NEAR(s->p32[i], s->p[i], 160 * FLT_EPSILON * (double)step);
        CHECK_SAME(s->g64[i], (float)gradient(step, i));
    }
    CHECK(s->p32[N] == SENTINEL && s->m32[N] == SENTINEL && s->v32[N] == SENTINEL);
    CHECK(s->p64[N] == SENTINEL && s->m64[N] == SENTINEL && s->v64[N] == SENTINEL);
}

static void check_sgd(pg_sgd sgd)
{
    spans s = new_spans(NAN); /* what stands in the state before the first step does not matter */
    const bool remembers = sgd.momentum != 0.0;
    for (int64_t step = 1; step <= STEPS; step++) {
        set_gradients(&s, step);
        pg_sgd_span_f32(&sgd, step == 1, N, s.p32, s.g32, remembers ? s.m32 : NULL);
        pg_sgd_span_f64(&sgd, step == 1, N, s.p64, s.g64, remembers ? s.m64 : NULL);
        for (int i = 0; i < N; i++) {
            const double d = s.g64[i] + sgd.weight_decay * s.p[i];
            s.m[i] = step == 1 ? d : sgd.momentum * s.m[i] + (1 - sgd.dampening) * d;
            s.p[i] -= sgd.lr * (!remembers ? d : sgd.nesterov ? d + sgd.momentum * s.m[i] : s.m[i]);
        }
        check_spans(&s, step);
    }
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
    spans s = new_spans(0.0);
    for (int64_t step = 1; step <= STEPS; step++) {
        set_gradients(&s, step);
        pg_adam_span_f32(&adam, step, N, s.p32, s.g32, s.m32, s.v32);
        pg_adam_span_f64(&adam, step, N, s.p64, s.g64, s.m64, s.v64);
        for (int i = 0; i < N; i++) {
            const double d = s.g64[i] + adam.weight_decay * s.p[i];
            s.m[i] = adam.beta1 * s.m[i] + (1 - adam.beta1) * d;
            s.v[i] = adam.beta2 * s.v[i] + (1 - adam.beta2) * d * d;
            const double mean = s.m[i] / (1 - pow(adam.beta1, (double)step));
            const double square = s.v[i] / (1 - pow(adam.beta2, (double)step));
            s.p[i] -= adam.lr * mean / (sqrt(square) + adam.eps);
        }
        check_spans(&s, step);
    }
}

static void test_adam_is_bias_corrected_with_eps_outside_the_root(void)
{
    check_adam((pg_adam){.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8});
    check_adam((pg_adam){.lr = 0.01, .beta1 = 0.5, .beta2 = 0.9, .eps = 1e-2});
    check_adam((pg_adam){.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-4, .weight_decay = 0.1});
    check_adam((pg_adam){.lr = 0.1, .beta1 = 0.0, .beta2 = 0.0, .eps = 1e-8});
}

static void test_published_numbers_of_adam(void)
{
    const double gradients[] = {2.0, 1.5, 3.0}, wanted[] = {4.9, 4.801742, 4.704050};
    const pg_adam adam = {.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    double p = 5.0, m = 0.0, v = 0.0;
    for (int step = 1; step <= 3; step++) {
        pg_adam_span_f64(&adam, step, 1, &p, &gradients[step - 1], &m, &v);
        CHECK_NEAR(p, wanted[step - 1], 5e-7);
    }
}

static void test_no_elements_are_no_work(void)
{
    pg_sgd_span_f32(&(pg_sgd){.lr = 0.1}, 1, 0, NULL, NULL, NULL);
    pg_adam_span_f64(&(pg_adam){.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999}, 1, 0, NULL, NULL, NULL, NULL);
    CHECK(true);
}

static void test_infinite_parameters_stay_infinite_without_weight_decay(void)
{
    double p = INFINITY, m = 0.0, v = 0.0;
    const double g = 1.0;
    pg_sgd_span_f64(&(pg_sgd){.lr = 0.1}, 1, 1, &p, &g, NULL);
    CHECK_SAME(p, INFINITY);
    pg_sgd_span_f64(&(pg_sgd){.lr = 0.1, .momentum = 0.9}, 1, 1, &p, &g, &m);
    CHECK_SAME(p, INFINITY);
    m = 0.0;
    pg_adam_span_f64(&(pg_adam){.lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8}, 1, 1, &p, &g, &m, &v);
    CHECK_SAME(p, INFINITY);
}

int main(void)
{
    test_sgd_in_all_its_forms();
    test_adam_is_bias_corrected_with_eps_outside_the_root();
    test_published_numbers_of_adam();
    test_no_elements_are_no_work();
    test_infinite_parameters_stay_infinite_without_weight_decay();
    return check_report("optim_span");
}
