/* Tensors of random numbers.
 *
 * The scheme. A generator is a stream of 64-bit words, of which word k is a function of the seed and k alone. A call
 * takes the next words of the stream, and its element i (in row-major order) depends on nothing but them and i:
 *
 *     uniform float32    half i % 2 (low first) of word i / 2, the 24 high bits of it
 *     uniform float64    word i, the 53 high bits
 *     normal float32     word i, a half for each of the two uniforms of Box and Muller
 *     normal float64     words 2i and 2i + 1, as pg_rng_normal
 *     integers           word i; the rare word that would make some numbers likelier than others is replaced by the word
 *                        at the same place of a stream apart, whose counter differs in its highest word
 *     permutation        word i for the swap of element n - 1 - i
 *
 * So the elements may be made in any order, by any number of threads. Uniform numbers are those that numpy's Generator
 * makes of its Philox. */
#include "core/exact.h"

#include "core/philox.h"
#include "core/autograd.h"
#include "ops/fill.h"

#include <math.h>

enum { CHUNK = 512 }; /* words at a time: even, and no more than the first cache level holds with their numbers */

/* ---- the words --------------------------------------------------------------------------------------------------- */

/* The counter of the block of four words that has the stream's word `place`, counted from the next one. */
static void counter_of(const pg_rng *rng, uint64_t place, uint64_t counter[4])
{
    uint64_t blocks = (place + (uint64_t)rng->used) / 4;
    for (int i = 0; i < 4; i++) {
        counter[i] = rng->counter[i] + blocks;
        blocks = counter[i] < blocks;
    }
}

/* out[n]: the words from `first` on. */
static void words_at(const pg_rng *rng, uint64_t first, int64_t n, uint64_t *out)
{
    uint64_t counter[4], block[4];
    counter_of(rng, first, counter);
    int lane = (int)((first + (uint64_t)rng->used) % 4);
    int64_t i = 0;
    for (; i < n && lane != 0; i++, lane = (lane + 1) % 4) {
        pg_philox(counter, rng->key, block);
        out[i] = block[lane];
    }
    if (i > 0)
        counter_of(rng, first + (uint64_t)i, counter);
    for (; i < n; i += 4) {
        if (n - i >= 4) {
            pg_philox(counter, rng->key, out + i);
        } else {
            pg_philox(counter, rng->key, block);
            memcpy(out + i, block, (size_t)(n - i) * sizeof *out);
        }
        for (int k = 0; k < 4 && ++counter[k] == 0; k++)
            ;
    }
}

/* The word that replaces word `place` when it was rejected `attempt` times. */
static uint64_t replacement(const pg_rng *rng, uint64_t place, uint64_t attempt)
{
    uint64_t counter[4], block[4];
    counter_of(rng, place, counter);
    counter[3] += attempt;
    pg_philox(counter, rng->key, block);
    return block[(place + (uint64_t)rng->used) % 4];
}

static void advance(pg_rng *rng, uint64_t words)
{
    if (words == 0)
        return;
    const uint64_t last = words - 1;
    uint64_t counter[4];
    counter_of(rng, last, counter);
    rng->used = (int64_t)((last + (uint64_t)rng->used) % 4 + 1);
    memcpy(rng->counter, counter, sizeof counter);
    pg_philox(rng->counter, rng->key, rng->block);
}

/* ---- elements of words ------------------------------------------------------------------------------------------- */

typedef struct {
    double a, b; /* low and high, or mean and standard deviation */
    int64_t low;
    uint64_t span; /* integers from low to low + span - 1 */
} parameters;

/* Elements first to first + n - 1 of a call, at out; first is even. n is at most CHUNK. */
typedef void filler(const pg_rng *rng, const parameters *p, uint64_t first, int64_t n, void *out);

static void uniform_float32(const pg_rng *rng, const parameters *p, uint64_t first, int64_t n, void *out)
{
    uint64_t words[CHUNK / 2];
    uint32_t halves[CHUNK];
    words_at(rng, first / 2, (n + 1) / 2, words);
    for (int64_t i = 0; i < n; i += 2) {
        halves[i] = (uint32_t)words[i / 2];
        halves[i + 1] = (uint32_t)(words[i / 2] >> 32);
    }
    const float low = (float)p->a, high = (float)p->b, span = high - low;
    const float most = nextafterf(high, low); /* rounding reaches high itself, which is outside */
    float *const x = out;
    for (int64_t i = 0; i < n; i++) {
        const float u = low + span * ((float)(int32_t)(halves[i] >> 8) * 0x1p-24f);
        x[i] = u < most ? u : most;
    }
}

static void uniform_float64(const pg_rng *rng, const parameters *p, uint64_t first, int64_t n, void *out)
{
    uint64_t words[CHUNK];
    words_at(rng, first, n, words);
    const double low = p->a, span = p->b - low, most = nextafter(p->b, low);
    double *const x = out;
    for (int64_t i = 0; i < n; i++) {
        const double u = low + span * ((double)(int64_t)(words[i] >> 11) * 0x1p-53);
        x[i] = u < most ? u : most;
    }
}

static void normal_float32(const pg_rng *rng, const parameters *p, uint64_t first, int64_t n, void *out)
{
    uint64_t words[CHUNK];
    words_at(rng, first, n, words);
    const float mean = (float)p->a, std = (float)p->b;
    float *const x = out;
    for (int64_t i = 0; i < n; i++) {
        /* On (0, 1], with all 32 bits where it is small: the tails reach 6.6 standard deviations. */
        const float u = ((float)(uint32_t)(words[i] >> 32) + 1) * 0x1p-32f;
        const float turn = (float)(uint32_t)words[i] * 0x1p-32f;
        x[i] = mean + std * (sqrtf(-2 * logf(u)) * cosf(6.2831853f * turn));
    }
}

static void normal_float64(const pg_rng *rng, const parameters *p, uint64_t first, int64_t n, void *out)
{
    uint64_t words[2 * CHUNK];
    words_at(rng, 2 * first, 2 * n, words);
    double *const x = out;
    for (int64_t i = 0; i < n; i++) {
        const double u = 1.0 - (double)(int64_t)(words[2 * i] >> 11) * 0x1p-53;
        const double turn = (double)(int64_t)(words[2 * i + 1] >> 11) * 0x1p-53;
        x[i] = p->a + p->b * (sqrt(-2.0 * log(u)) * cos(6.283185307179586476925 * turn));
    }
}

/* From 0 to span - 1, all equally likely: the high word of word * span, without the low words that come once too often
 * (D. Lemire, "Fast random integer generation in an interval", 2019). */
static inline uint64_t below(const pg_rng *rng, uint64_t place, uint64_t word, uint64_t span)
{
    uint64_t high, low = pg_multiply(word, span, &high);
    if (PG_UNLIKELY(low < span)) {
        const uint64_t surplus = -span % span;
        for (uint64_t attempt = 1; low < surplus; attempt++)
            low = pg_multiply(replacement(rng, place, attempt), span, &high);
    }
    return high;
}

#define INTEGERS(name, TYPE) \
    static void integers_##name(const pg_rng *rng, const parameters *p, uint64_t first, int64_t n, void *out) \
    { \
        uint64_t words[CHUNK]; \
        words_at(rng, first, n, words); \
        for (int64_t i = 0; i < n; i++) \
            ((TYPE *)out)[i] = (TYPE)(int64_t)((uint64_t)p->low + below(rng, first + (uint64_t)i, words[i], p->span)); \
    }
INTEGERS(uint8, uint8_t)
INTEGERS(int32, int32_t)
INTEGERS(int64, int64_t)
INTEGERS(float32, float)
INTEGERS(float64, double)

/* ---- tensors of elements ----------------------------------------------------------------------------------------- */

/* Fills a contiguous tensor, and takes `words` words. */
static void fill(pg_tensor *t, filler *fill_chunk, const parameters *p, uint64_t words, pg_rng *rng)
{
    for (int64_t i = 0; i < t->numel; i += CHUNK) {
        const int64_t n = t->numel - i < CHUNK ? t->numel - i : CHUNK;
        fill_chunk(rng, p, (uint64_t)i, n, t->data + i * pg_itemsize[t->dtype]);
    }
    advance(rng, words);
}

static void fill_uniform(pg_tensor *t, double low, double high, pg_rng *rng)
{
    const uint64_t n = (uint64_t)t->numel;
    const parameters p = {.a = low, .b = high};
    if (t->dtype == PG_FLOAT32)
        fill(t, uniform_float32, &p, n / 2 + n % 2, rng);
    else
        fill(t, uniform_float64, &p, n, rng);
}

static void fill_normal(pg_tensor *t, double mean, double std, pg_rng *rng)
{
    const uint64_t n = (uint64_t)t->numel;
    const parameters p = {.a = mean, .b = std};
    if (t->dtype == PG_FLOAT32)
        fill(t, normal_float32, &p, n, rng);
    else
        fill(t, normal_float64, &p, 2 * n, rng);
}

static bool check_float(const char *op, int dtype)
{
    if (pg_is_float(dtype))
        return true;
    pg_fail(PG_BAD_TYPE, "%s: random numbers of this kind are float32 or float64, not %s; randint makes integers", op,
            pg_dtype_name[dtype]);
    return false;
}

pg_tensor *pg_tensor_rand(pg_dtype dtype, int ndim, const int64_t *shape, pg_rng *rng)
{
    pg_tensor *t = check_float("rand", dtype) ? pg_tensor_empty(dtype, ndim, shape) : NULL;
    if (t != NULL)
        fill_uniform(t, 0, 1, rng);
    return t;
}

pg_tensor *pg_tensor_randn(pg_dtype dtype, int ndim, const int64_t *shape, pg_rng *rng)
{
    pg_tensor *t = check_float("randn", dtype) ? pg_tensor_empty(dtype, ndim, shape) : NULL;
    if (t != NULL)
        fill_normal(t, 0, 1, rng);
    return t;
}

/* Integers beyond these are not all numbers of the dtype. */
static bool representable(int dtype, int64_t low, int64_t last)
{
    static const int64_t lows[] = {0, 0, INT32_MIN, INT64_MIN, -(1 << 24), -((int64_t)1 << 53)};
    static const int64_t highs[] = {1, UINT8_MAX, INT32_MAX, INT64_MAX, 1 << 24, (int64_t)1 << 53};
    if (low >= lows[dtype] && last <= highs[dtype])
        return true;
    pg_fail(PG_BAD_ARGUMENT, "randint: integers from %lld to %lld are not all numbers of %s", (long long)low,
            (long long)last, pg_dtype_name[dtype]);
    return false;
}

pg_tensor *pg_tensor_randint(pg_dtype dtype, int ndim, const int64_t *shape, int64_t low, int64_t high, pg_rng *rng)
{
    static filler *const fillers[] = {integers_uint8, integers_uint8,   integers_int32,
                                      integers_int64, integers_float32, integers_float64};
    if (low >= high) {
        pg_fail(PG_BAD_ARGUMENT, "randint: low has to be less than high, but low is %lld and high %lld", (long long)low,
                (long long)high);
        return NULL;
    }
    if (!representable(dtype, low, high - 1))
        return NULL;
    pg_tensor *t = pg_tensor_empty(dtype, ndim, shape);
    if (t != NULL) {
        const parameters p = {.low = low, .span = (uint64_t)high - (uint64_t)low};
        fill(t, fillers[dtype], &p, (uint64_t)t->numel, rng);
    }
    return t;
}

pg_tensor *pg_tensor_randperm(int64_t n, pg_rng *rng)
{
    pg_tensor *t = pg_tensor_empty(PG_INT64, 1, &n);
    if (t == NULL)
        return NULL;
    int64_t *const x = (int64_t *)t->data;
    for (int64_t i = 0; i < n; i++)
        x[i] = i;
    uint64_t words[CHUNK];
    for (int64_t i = 0; i < n - 1; i++) { /* Fisher and Yates, from the last element down */
        if (i % CHUNK == 0)
            words_at(rng, (uint64_t)i, n - i < CHUNK ? n - i : CHUNK, words);
        const int64_t last = n - 1 - i;
        const int64_t other = (int64_t)below(rng, (uint64_t)i, words[i % CHUNK], (uint64_t)last + 1);
        const int64_t kept = x[last];
        x[last] = x[other];
        x[other] = kept;
    }
    advance(rng, (uint64_t)n);
    return t;
}

/* Overwrites any tensor with what `fill_packed` makes: in its own memory, or through a tensor beside it where that has
 * gaps, or a history in which the change is to be seen. */
static pg_tensor *fill_in_place(const char *op, pg_tensor *self, double a, double b, pg_rng *rng,
                                void (*fill_packed)(pg_tensor *, double, double, pg_rng *))
{
    if (self == NULL || !check_float(op, self->dtype) || pg_check_in_place(op, self) != PG_OK)
        return NULL;
    if (pg_is_contiguous(self) && !pg_records(1, &self)) {
        fill_packed(self, a, b, rng);
        pg_bump(self);
        return pg_tensor_retain(self);
    }
    pg_tensor *const values = pg_tensor_empty(self->dtype, self->ndim, self->shape);
    if (values == NULL)
        return NULL;
    fill_packed(values, a, b, rng);
    pg_tensor *const out = pg_tensor_copy_(self, values);
    pg_tensor_release(values);
    return out;
}

pg_tensor *pg_tensor_uniform_(pg_tensor *self, double low, double high, pg_rng *rng)
{
    const bool single = self != NULL && self->dtype == PG_FLOAT32;
    const double span = single ? (double)((float)high - (float)low) : high - low;
    if (!(low <= high) || !isfinite(span)) {
        pg_fail(PG_BAD_ARGUMENT,
                "uniform_: low has to be at most high, and both and their distance finite, but low is %g and high %g",
                low, high);
        return NULL;
    }
    return fill_in_place("uniform_", self, low, high, rng, fill_uniform);
}

pg_tensor *pg_tensor_normal_(pg_tensor *self, double mean, double std, pg_rng *rng)
{
    if (!(std >= 0)) {
        pg_fail(PG_BAD_ARGUMENT, "normal_: the standard deviation has to be at least 0, but it is %g", std);
        return NULL;
    }
    return fill_in_place("normal_", self, mean, std, rng, fill_normal);
}
