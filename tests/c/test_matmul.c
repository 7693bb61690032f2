/* The matrix product against the definition, for every instruction set of this processor. Operands end where a page
 * ends that must not be touched, so that reading one element too many ends the program.
 */
#include "check.h"

#include "kernels/dispatch.h"

#include <float.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE_BYTES = 65536, ROOM = 64 * PAGE_BYTES };

/* ---- arrays of float or of double -------------------------------------------------------------------------------- */

typedef struct {
    bool wide; /* double */
    int64_t n;
    void *at;
    char *room; /* ROOM bytes and a forbidden page */
} array;

static array array_new(void)
{
    array x = {.room = mmap(NULL, ROOM + PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)};
    if (x.room == MAP_FAILED || mprotect(x.room + ROOM, PAGE_BYTES, PROT_NONE) != 0)
        abort();
    return x;
}

static void array_free(array x)
{
    munmap(x.room, ROOM + PAGE_BYTES);
}

static size_t array_bytes(const array *x)
{
    return (size_t)x->n * (x->wide ? sizeof(double) : sizeof(float));
}

static void array_resize(array *x, bool wide, int64_t n)
{
    x->wide = wide;
    x->n = n;
    if (array_bytes(x) > ROOM)
        abort();
    x->at = x->room + ROOM - array_bytes(x);
}

static double get(const array *x, int64_t i)
{
    return x->wide ? ((double *)x->at)[i] : (double)((float *)x->at)[i];
}

static void set(array *x, int64_t i, double value)
{
    if (x->wide)
        ((double *)x->at)[i] = value;
    else
        ((float *)x->at)[i] = (float)value;
}

static void array_absolute(array *to, const array *from)
{
    array_resize(to, from->wide, from->n);
    for (int64_t i = 0; i < from->n; i++)
        set(to, i, fabs(get(from, i)));
}

/* ---- one product, checked ---------------------------------------------------------------------------------------- */

typedef enum { INTEGERS, NORMAL, SPECIAL } filling;

/* Where the elements of an operand lie; steps of 0 repeat one, negative ones go backwards. */
typedef struct {
    int64_t row, col;
} steps;

typedef struct {
    bool wide;
    int64_t m, n, k;
    steps a, b;
    int64_t gap; /* between the rows of c */
    bool bias, accumulate;
    filling filling;
} product;

static array operand_a, operand_b, bias, result, wanted, magnitude, absolute_a, absolute_b, absolute_bias;
static pg_rng rng;

static double draw(filling how)
{
    const uint64_t bits = pg_rng_bits(&rng);
    double x;
    if (how == INTEGERS)
        return (double)(bits % 9) - 4.0;
    if (how == SPECIAL && bits % 16 < 4)
        return (const double[]){NAN, INFINITY, -INFINITY, 0.0}[bits % 16];
    pg_rng_normal(&rng, 0.0, 1.0, 1, &x);
    return x;
}

static void fill(array *x, bool wide, int64_t n, filling how)
{
    array_resize(x, wide, n);
    for (int64_t i = 0; i < n; i++)
        set(x, i, draw(how));
}

/* How many elements rows x cols at these steps span, and where the first of them is. */
static int64_t span(int64_t rows, int64_t cols, steps s, int64_t *first)
{
    *first = 0;
    if (rows == 0 || cols == 0)
        return 0;
    const int64_t down = (rows - 1) * s.row, across = (cols - 1) * s.col;
    *first = (down < 0 ? -down : 0) + (across < 0 ? -across : 0);
    return 1 + llabs(down) + llabs(across);
}

static void *place(array *x, int64_t first)
{
    return (char *)x->at + first * (int64_t)(x->wide ? sizeof(double) : sizeof(float));
}

static pg_matmul_job prepare(const product *p)
{
    pg_matmul_job job = {.m = p->m, .n = p->n, .k = p->k, .ldc = p->n + p->gap, .accumulate = p->accumulate};
    int64_t first_a, first_b;
    fill(&operand_a, p->wide, span(p->m, p->k, p->a, &first_a), p->filling);
    fill(&operand_b, p->wide, span(p->k, p->n, p->b, &first_b), p->filling);
    fill(&bias, p->wide, p->n, p->filling == INTEGERS ? INTEGERS : NORMAL);
    fill(&result, p->wide, p->m > 0 ? (p->m - 1) * job.ldc + p->n : 0, p->filling == INTEGERS ? INTEGERS : NORMAL);
    job.a = operand_a.n > 0 ? place(&operand_a, first_a) : NULL;
    job.a_row = p->a.row;
    job.a_col = p->a.col;
    job.b = operand_b.n > 0 ? place(&operand_b, first_b) : NULL;
    job.b_row = p->b.row;
    job.b_col = p->b.col;
    job.bias = p->bias ? bias.at : NULL;
    job.c = result.at;
    return job;
}

static void naive(bool wide, const pg_matmul_job *job)
{
    (wide ? pg_matmul_naive_f64 : pg_matmul_naive_f32)(job);
}

/* wanted: by the definition. magnitude: the same product of absolute values. Both start as copies of c. */
static void compute_wanted(const product *p, pg_matmul_job job)
{
    array_resize(&wanted, p->wide, result.n);
    memcpy(wanted.at, result.at, array_bytes(&result));
    array_absolute(&magnitude, &result);
    array_absolute(&absolute_a, &operand_a);
    array_absolute(&absolute_b, &operand_b);
    array_absolute(&absolute_bias, &bias);
    job.c = wanted.at;
    naive(p->wide, &job);
    if (job.a != NULL)
        job.a = (const char *)absolute_a.at + ((const char *)job.a - (char *)operand_a.at);
    if (job.b != NULL)
        job.b = (const char *)absolute_b.at + ((const char *)job.b - (char *)operand_b.at);
    job.bias = p->bias ? absolute_bias.at : NULL;
    job.c = magnitude.at;
    naive(p->wide, &job);
}

/* A sum of k products, of what c held and of a bias, in any order and whether products are rounded or not, is off by at
 * most (k + 2) u times the sum of the absolute values, u half of epsilon, to first order (Higham, "Accuracy and
 * Stability of Numerical Algorithms", section 3.1); the definition, computed in double and rounded, is off by as much
 * in double and by one more u in float. Small integers are exact. */
static void check_product(const product *p)
{
    const pg_matmul_job job = prepare(p);
    compute_wanted(p, job);
    CHECK((p->wide ? pg_matmul_f64 : pg_matmul_f32)(&job) == PG_OK);
    const double epsilon = p->wide ? DBL_EPSILON : (double)FLT_EPSILON;
    const double factor = p->filling == INTEGERS ? 0.0 : (double)(p->k + 3) * epsilon * (p->wide ? 1.0 : 0.5) * 1.001;
    int64_t wrong = 0, harmed = 0;
    for (int64_t i = 0; i < result.n; i++) {
        const bool outside = i % job.ldc >= p->n;
        const double actual = get(&result, i), expected = get(&wanted, i);
        if (outside)
            harmed += !check_same(actual, expected);
        else if (isfinite(expected))
            wrong += !(fabs(actual - expected) <= factor * get(&magnitude, i));
        else
            wrong += !check_same(actual, expected);
    }
    CHECK_MESSAGE(wrong == 0 && harmed == 0,
                  "%s %s %" PRId64 " x %" PRId64 " x %" PRId64 ", steps %" PRId64 " %" PRId64 ", %" PRId64 " %" PRId64
                  ", gap %" PRId64 ", bias %d, accumulate %d: %" PRId64 " wrong, %" PRId64 " harmed",
                  pg_isa(), p->wide ? "f64" : "f32", p->m, p->n, p->k, p->a.row, p->a.col, p->b.row, p->b.col, p->gap,
                  p->bias, p->accumulate, wrong, harmed);
}

/* Transposed or not (bits 0 and 1), with rows `more` further apart than need be. */
static void lay(product *p, int transposed, int64_t more)
{
    p->a = transposed & 1 ? (steps){1, p->m + more} : (steps){p->k + more, 1};
    p->b = transposed & 2 ? (steps){1, p->k + more} : (steps){p->n + more, 1};
}

/* ---- the claims -------------------------------------------------------------------------------------------------- */

static void test_the_definition_on_an_example(void)
{
    const double a[] = {1, 2, 3, 4, 5, 6}, b[] = {7, 8, 9, 10, 11, 12};
    double c[4];
    const pg_matmul_job job = {.m = 2, .n = 2, .k = 3, .a = a, 3, 1, .b = b, 2, 1, .c = c, .ldc = 2};
    pg_matmul_naive_f64(&job);
    CHECK(c[0] == 58 && c[1] == 64 && c[2] == 139 && c[3] == 154);
}

static void test_small_shapes_are_exact_on_integers(void)
{
    const int64_t most = CHECK_SLOW ? 9 : 17;
    int64_t turn = 0;
    for (int64_t m = 0; m <= most; m++)
        for (int64_t n = 0; n <= most; n++)
            for (int64_t k = 0; k <= most; k++)
                for (int transposed = 0; transposed < 4; transposed++, turn++) {
                    product p = {.m = m, .n = n, .k = k, .filling = INTEGERS, .wide = turn / 4 % 2};
                    p.gap = turn % 3;
                    p.bias = turn % 5 < 2;
                    p.accumulate = turn % 7 < 3;
                    lay(&p, transposed, 0);
                    check_product(&p);
                }
}

static int64_t pick(int64_t low, int64_t high)
{
    return low + (int64_t)(pg_rng_bits(&rng) % (uint64_t)(high - low + 1));
}

/* Shapes around the sizes of the tiles, the slices of k and the blocks; skinny ones among them. */
static int64_t pick_size(void)
{
    const int64_t sizes[] = {1, 2, 10, 31, 48, 64, 97, 127, 128, 129, 255, 257, 300, 513, 777};
    return pick(0, 2) > 0 ? sizes[pick(0, 14)] : pick(1, 140);
}

static void test_larger_shapes_are_right_within_rounding(void)
{
    for (int turn = 0; turn < (CHECK_SLOW ? 60 : 160); turn++) {
        product p = {.m = pick_size(), .n = pick_size(), .k = pick_size(), .wide = turn / 4 % 2, .filling = NORMAL};
        p.gap = pick(0, 5);
        p.bias = pick(0, 1);
        p.accumulate = pick(0, 1);
        lay(&p, turn % 4, pick(0, 9));
        check_product(&p);
    }
}

static void test_wide_rows_cross_the_column_blocks(void)
{
    for (int transposed = 0; transposed < 4; transposed++) {
        product p = {.m = transposed < 2 ? 5 : 270, .n = 3100, .k = 3, .filling = INTEGERS};
        lay(&p, transposed, 0);
        check_product(&p);
    }
}

static void test_any_steps_will_do(void)
{
    const int64_t m = 9, n = 21, k = 18;
    const steps as[] = {{0, 1}, {1, 0}, {0, 0}, {k, -1}, {-k, 1}, {2 * k, 2}, {-1, -m}, {1, m + 3}, {3, 100}};
    const steps bs[] = {{0, 1}, {1, 0}, {0, 0}, {n, -1}, {-n, 1}, {2 * n, 2}, {-1, -k}, {1, k + 3}, {3, 100}};
    for (int a = 0; a < 9; a++)
        for (int b = 0; b < 9; b++)
            for (int wide = 0; wide < 2; wide++) {
                product p = {.m = m, .n = n, .k = k, .a = as[a], .b = bs[b], .wide = wide, .filling = INTEGERS};
                check_product(&p);
                p = (product){.m = 140, .n = 1, .k = 300, .a = as[a], .b = bs[b], .wide = wide, .filling = INTEGERS};
                check_product(&p);
                p = (product){.m = 131, .n = 133, .k = 7, .a = as[a], .b = bs[b], .wide = wide, .filling = INTEGERS};
                check_product(&p);
            }
}

static void test_nan_and_infinity_travel(void)
{
    for (int turn = 0; turn < 200; turn++) {
        product p = {.m = pick(1, 20), .n = pick(1, 60), .k = pick(1, 20), .wide = turn % 2, .filling = SPECIAL};
        p.bias = pick(0, 1);
        p.accumulate = pick(0, 1);
        lay(&p, turn / 2 % 4, 0);
        check_product(&p);
    }
    const float zero = 0.0f, infinite = INFINITY;
    float c = 1.0f;
    const pg_matmul_job job = {.m = 1, .n = 1, .k = 1, .a = &zero, 1, 1, .b = &infinite, 1, 1, .c = &c, .ldc = 1};
    CHECK(pg_matmul_f32(&job) == PG_OK);
    CHECK(isnan(c));
}

/* Threads will each take some rows or columns; the outcome may not tell how many threads there were. */
static void test_a_part_alone_has_the_bits_it_has_in_the_whole(void)
{
    product p = {.m = 37, .n = 101, .k = 611, .filling = NORMAL};
    for (int transposed = 0; transposed < 4; transposed++) {
        lay(&p, transposed, 0);
        const pg_matmul_job whole = prepare(&p);
        CHECK(pg_matmul_f32(&whole) == PG_OK);
        array_resize(&wanted, false, result.n);
        memcpy(wanted.at, result.at, array_bytes(&result));
        pg_matmul_job part = whole;
        for (int64_t i = 0; i < p.m; i += part.m)
            for (int64_t j = 0; j < p.n; j += part.n) {
                part.m = p.m - i < 11 ? p.m - i : 11;
                part.n = p.n - j < 23 ? p.n - j : 23;
                part.a = (const float *)whole.a + i * whole.a_row;
                part.b = (const float *)whole.b + j * whole.b_col;
                part.c = (float *)whole.c + i * whole.ldc + j;
                CHECK(pg_matmul_f32(&part) == PG_OK);
            }
        CHECK_MESSAGE(memcmp(wanted.at, result.at, array_bytes(&result)) == 0, "%s, transposed %d", pg_isa(),
                      transposed);
    }
}

static void test_no_memory_leaves_c_as_it_was(void)
{
    product p = {.m = 200, .n = 200, .k = 300, .filling = NORMAL};
    lay(&p, 3, 0);
    const pg_matmul_job job = prepare(&p);
    array_resize(&wanted, false, result.n);
    memcpy(wanted.at, result.at, array_bytes(&result));
    const int64_t before = pg_live_bytes();
    pg_fail_allocation(1, 1);
    CHECK(pg_matmul_f32(&job) == PG_NO_MEMORY);
    CHECK(memcmp(wanted.at, result.at, array_bytes(&result)) == 0);
    product small = {.m = 4, .n = 10, .k = 20, .filling = INTEGERS};
    lay(&small, 2, 0);
    check_product(&small);
    pg_fail_allocation(0, 0);
    CHECK(pg_live_bytes() == before);
    CHECK(pg_matmul_f32(&job) == PG_OK);
}

/* Has to come first: the environment is asked once. */
static void test_the_environment_chooses_the_instruction_set(void)
{
    setenv("PYGRAD_ISA", "generic", 1);
    CHECK(strcmp(pg_isa(), "generic") == 0);
    CHECK(pg_isa_complaint() == NULL);
    setenv("PYGRAD_ISA", "z80", 1);
    CHECK(pg_isa_complaint() != NULL && strstr(pg_isa_complaint(), "z80") != NULL);
    unsetenv("PYGRAD_ISA");
    CHECK(pg_isa_complaint() == NULL);
    CHECK(pg_isa_use("z80") == PG_BAD_ARGUMENT);
    CHECK(strstr(pg_message(), "z80") != NULL && strstr(pg_message(), "generic") != NULL);
    CHECK(strcmp(pg_isa(), "generic") == 0);
    CHECK(pg_isa_available(-1) == NULL);
}

int main(void)
{
    array *const arrays[] = {&operand_a, &operand_b,  &bias,       &result,       &wanted,
                             &magnitude, &absolute_a, &absolute_b, &absolute_bias};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = array_new();
    test_the_environment_chooses_the_instruction_set();
    test_the_definition_on_an_example();
    const char *name;
    for (int index = 0; (name = pg_isa_available(index)) != NULL; index++) {
        CHECK(pg_isa_use(name) == PG_OK);
        CHECK(strcmp(pg_isa(), name) == 0);
        pg_rng_seed(&rng, 1);
        test_small_shapes_are_exact_on_integers();
        test_larger_shapes_are_right_within_rounding();
        test_wide_rows_cross_the_column_blocks();
        test_any_steps_will_do();
        test_nan_and_infinity_travel();
        test_a_part_alone_has_the_bits_it_has_in_the_whole();
        test_no_memory_leaves_c_as_it_was();
    }
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        array_free(*arrays[i]);
    return check_report("matrix products");
}
