/* Linear recurrences and the rule of running products, of which other rules are made: against written loops, and their
 * gradients, of the rule too, against central differences.
 *
 * Tolerances: a recurrence of 4 terms is a dozen roundings on numbers under 10; central differences with a step of 1e-5
 * are off by its square and by 1e-16 / 1e-5, times such numbers.
 */
#include "check.h"

#include "ops/scan.h"

enum { OUTER = 2, LENGTH = 4, INNER = 3, NUMEL = OUTER * LENGTH * INNER, DIM = 1 };

static const int64_t shape[] = {OUTER, LENGTH, INNER};

static double *numbers(pg_tensor *t)
{
    return pg_tensor_data(t);
}

/* Numbers of both signs, some of them 0. */
static pg_tensor *sample(int64_t seed)
{
    pg_tensor *const t = pg_tensor_empty(PG_FLOAT64, 3, shape);
    for (int64_t i = 0; i < NUMEL; i++)
        numbers(t)[i] = (i + seed) % 5 == 0 ? 0.0 : 1.5 * sin((double)(i * i + 3 * seed));
    return t;
}

typedef pg_tensor *function(pg_tensor *a, pg_tensor *b);

static pg_tensor *forward(pg_tensor *a, pg_tensor *b)
{
    return pg_recurrence(a, b, DIM, false);
}

static pg_tensor *backward(pg_tensor *a, pg_tensor *b)
{
    return pg_recurrence(a, b, DIM, true);
}

static pg_tensor *rule(pg_tensor *a, pg_tensor *b)
{
    return pg_cumprod_slope(a, NULL, b, DIM);
}

static void test_recurrence_is_the_written_one(bool reverse)
{
    pg_tensor *const a = sample(1), *const b = sample(2), *const s = pg_recurrence(a, b, DIM, reverse);
    for (int64_t column = 0; column < OUTER * INNER; column++) {
        const int64_t first = column / INNER * LENGTH * INNER + column % INNER;
        double last = 0.0;
        for (int64_t k = 0; k < LENGTH; k++) {
            const int64_t i = reverse ? LENGTH - 1 - k : k, at = first + i * INNER;
            const double factor = k == 0 ? 0.0 : numbers(a)[reverse ? at + INNER : at];
            last = numbers(b)[at] + factor * last;
            CHECK_NEAR(numbers(s)[at], last, 1e-14);
        }
    }
    pg_tensor_release(a);
    pg_tensor_release(b);
    pg_tensor_release(s);
}

/* sum(weights * f(a, b)) */
static double total(function *f, pg_tensor *a, pg_tensor *b, pg_tensor *weights)
{
    const int recorded = pg_set_grad_enabled(0);
    pg_tensor *const y = f(a, b);
    pg_set_grad_enabled(recorded);
    double sum = 0.0;
    for (int64_t i = 0; i < NUMEL; i++)
        sum += numbers(weights)[i] * numbers(y)[i];
    pg_tensor_release(y);
    return sum;
}

static void test_gradient_is_that_of_central_differences(function *f)
{
    const double step = 1e-5;
    pg_tensor *const inputs[] = {sample(3), sample(4)}, *const weights = sample(6);
    for (int k = 0; k < 2; k++)
        CHECK(pg_tensor_set_requires_grad(inputs[k], 1) == PG_OK);
    pg_tensor *const y = f(inputs[0], inputs[1]);
    CHECK(pg_tensor_backward(y, weights, 0) == PG_OK);
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < NUMEL; i++) {
            double *const x = &numbers(inputs[k])[i], before = *x;
            *x = before + step;
            const double above = total(f, inputs[0], inputs[1], weights);
            *x = before - step;
            const double below = total(f, inputs[0], inputs[1], weights);
            *x = before;
            CHECK_NEAR(numbers(pg_tensor_grad(inputs[k]))[i], (above - below) / (2 * step), 1e-7);
        }
    pg_tensor_release(y);
    pg_tensor_release(weights);
    for (int k = 0; k < 2; k++)
        pg_tensor_release(inputs[k]);
}

int main(void)
{
    test_recurrence_is_the_written_one(false);
    test_recurrence_is_the_written_one(true);
    test_gradient_is_that_of_central_differences(forward);
    test_gradient_is_that_of_central_differences(backward);
    test_gradient_is_that_of_central_differences(rule);
    return check_report("scans");
}
