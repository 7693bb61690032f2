/* Tensors of regular and of random numbers, from C alone. */
#include "check.h"

#include "pygrad_tensor.h"

static void check_regular_numbers(void)
{
    const int64_t shape[] = {2, 3};
    pg_tensor *t = pg_tensor_full_int(PG_INT64, 2, shape, INT64_MAX);
    for (int i = 0; i < 6; i++)
        CHECK(((const int64_t *)pg_tensor_data(t))[i] == INT64_MAX);
    pg_tensor_release(t);

    t = pg_tensor_arange_int(PG_INT32, 7, -8, -5);
    CHECK(pg_tensor_numel(t) == 3);
    for (int i = 0; i < 3; i++)
        CHECK(((const int32_t *)pg_tensor_data(t))[i] == 7 - 5 * i);
    pg_tensor_release(t);

    t = pg_tensor_arange(PG_FLOAT64, 0.5, 2, 0.5);
    CHECK(pg_tensor_numel(t) == 3);
    for (int i = 0; i < 3; i++)
        CHECK_SAME(((const double *)pg_tensor_data(t))[i], 0.5 + 0.5 * i);
    pg_tensor_release(t);

    t = pg_tensor_linspace(PG_FLOAT32, -1, 1, 5);
    for (int i = 0; i < 5; i++)
        CHECK_SAME(((const float *)pg_tensor_data(t))[i], -1 + 0.5 * i);
    pg_tensor_release(t);

    t = pg_tensor_eye(PG_UINT8, 3, 2);
    for (int i = 0; i < 6; i++)
        CHECK(((const uint8_t *)pg_tensor_data(t))[i] == (i / 2 == i % 2));
    pg_tensor_release(t);
}

static void check_refused(pg_tensor *t, pg_status status, const char *part)
{
    CHECK_MESSAGE(t == NULL && pg_failure() == status && strstr(pg_message(), part) != NULL, "%s", pg_message());
    pg_tensor_release(t);
}

static void check_refusals(void)
{
    const int64_t three[] = {3}, negative[] = {-3};
    pg_rng rng;
    pg_rng_seed(&rng, 1);
    check_refused(pg_tensor_full_int(PG_UINT8, 1, three, 256), PG_BAD_ARGUMENT, "does not fit uint8");
    check_refused(pg_tensor_full_int(PG_UINT8, 1, negative, 1), PG_BAD_SHAPE, "negative");
    check_refused(pg_tensor_arange(PG_FLOAT32, 0, 1, 0), PG_BAD_ARGUMENT, "nonzero");
    check_refused(pg_tensor_arange(PG_INT64, 0, 1, 0.5), PG_BAD_TYPE, "int64");
    check_refused(pg_tensor_arange_int(PG_INT64, 0, 1, -1), PG_BAD_ARGUMENT, "inconsistent");
    check_refused(pg_tensor_arange_int(PG_INT64, INT64_MIN, INT64_MAX, 1), PG_BAD_SHAPE, "addressed");
    check_refused(pg_tensor_linspace(PG_BOOL, 0, 1, 2), PG_BAD_TYPE, "bool");
    check_refused(pg_tensor_rand(PG_INT32, 1, three, &rng), PG_BAD_TYPE, "int32");
    check_refused(pg_tensor_randint(PG_INT64, 1, three, 4, 4, &rng), PG_BAD_ARGUMENT, "less than high");
    check_refused(pg_tensor_randperm(-1, &rng), PG_BAD_SHAPE, "negative");
    check_refused(pg_tensor_uniform_(NULL, 1, 0, &rng), PG_BAD_ARGUMENT, "at most high");
    /* None of them took a word. */
    pg_rng fresh;
    pg_rng_seed(&fresh, 1);
    CHECK(pg_rng_bits(&rng) == pg_rng_bits(&fresh));
}

/* Two calls take the words that one takes: wherever a call starts, its elements are the same words. */
static void check_streams(void)
{
    enum { N = 1500 };
    for (int64_t cut = 0; cut <= 9; cut++) {
        const int64_t n = N, rest = N - cut;
        pg_rng a, b;
        pg_rng_seed(&a, 5);
        pg_rng_seed(&b, 5);
        pg_tensor *whole = pg_tensor_rand(PG_FLOAT64, 1, &n, &a);
        pg_tensor *first = pg_tensor_rand(PG_FLOAT64, 1, &cut, &b), *second = pg_tensor_rand(PG_FLOAT64, 1, &rest, &b);
        CHECK(memcmp(pg_tensor_data(whole), pg_tensor_data(first), (size_t)cut * sizeof(double)) == 0);
        CHECK(memcmp((double *)pg_tensor_data(whole) + cut, pg_tensor_data(second), (size_t)rest * sizeof(double)) ==
              0);
        CHECK(pg_rng_bits(&a) == pg_rng_bits(&b));
        pg_tensor_release(whole);
        pg_tensor_release(first);
        pg_tensor_release(second);
    }
}

/* The doubles of pg_rng_uniform and pg_rng_normal, which take their words one at a time. */
static void check_against_single_numbers(void)
{
    enum { N = 1030 };
    static double wanted[N];
    const int64_t n = N;
    pg_rng a, b;
    pg_rng_seed(&a, 9);
    pg_rng_seed(&b, 9);
    pg_tensor *t = pg_tensor_full(PG_FLOAT64, 1, &n, 0);
    pg_tensor_release(pg_tensor_uniform_(t, -2, 3, &a));
    pg_rng_uniform(&b, -2, 3, N, wanted);
    CHECK(memcmp(pg_tensor_data(t), wanted, sizeof wanted) == 0);
    pg_tensor_release(pg_tensor_normal_(t, 1, 0.5, &a));
    pg_rng_normal(&b, 1, 0.5, N, wanted);
    CHECK(memcmp(pg_tensor_data(t), wanted, sizeof wanted) == 0);
    pg_tensor_release(t);
}

static void check_permutation(void)
{
    enum { N = 1000 };
    bool seen[N] = {false};
    pg_rng rng;
    pg_rng_seed(&rng, 3);
    pg_tensor *t = pg_tensor_randperm(N, &rng);
    for (int i = 0; i < N; i++) {
        const int64_t x = ((const int64_t *)pg_tensor_data(t))[i];
        CHECK(x >= 0 && x < N && !seen[x]);
        seen[x] = true;
    }
    pg_tensor_release(t);
}

int main(void)
{
    check_regular_numbers();
    check_refusals();
    check_streams();
    check_against_single_numbers();
    check_permutation();
    pg_empty_cache();
    CHECK(pg_live_bytes() == 0);
    return check_report("creation");
}
