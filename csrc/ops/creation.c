/* Tensors of regular numbers. */
#include "core/exact.h"

#include "core/tensor.h"

#include <math.h>

/* ---- one value --------------------------------------------------------------------------------------------------- */

/* Writes n copies of the element at `value`. */
static void repeat(void *data, int64_t n, size_t itemsize, const void *value)
{
#define REPEAT(TYPE) \
    for (int64_t i = 0; i < n; i++) \
    ((TYPE *)data)[i] = *(const TYPE *)value
    switch (itemsize) {
    case 1:
        memset(data, *(const uint8_t *)value, (size_t)n);
        break;
    case 4:
        REPEAT(uint32_t);
        break;
    default:
        REPEAT(uint64_t);
    }
#undef REPEAT
}

/* What an integer dtype can hold: from low to high. */
static void limits(int dtype, int64_t *low, int64_t *high)
{
    static const int64_t lows[] = {0, 0, INT32_MIN, INT64_MIN}, highs[] = {1, UINT8_MAX, INT32_MAX, INT64_MAX};
    *low = lows[dtype];
    *high = highs[dtype];
}

static bool fits(const char *op, int dtype, int64_t value)
{
    if (pg_is_float(dtype) || dtype == PG_BOOL)
        return true;
    int64_t low, high;
    limits(dtype, &low, &high);
    if (value >= low && value <= high)
        return true;
    pg_fail(PG_BAD_ARGUMENT, "%s: %lld does not fit %s, which is from %lld to %lld", op, (long long)value,
            pg_dtype_name[dtype], (long long)low, (long long)high);
    return false;
}

pg_tensor *pg_tensor_full_int(pg_dtype dtype, int ndim, const int64_t *shape, int64_t value)
{
    if (!fits("full", dtype, value))
        return NULL;
    pg_tensor *t = pg_tensor_empty(dtype, ndim, shape);
    if (t == NULL)
        return NULL;
    union {
        uint8_t byte;
        int32_t int32;
        int64_t int64;
        float float32;
        double float64;
    } element = {0};
    switch (dtype) {
    case PG_BOOL:
        element.byte = value != 0;
        break;
    case PG_UINT8:
        element.byte = (uint8_t)value;
        break;
    case PG_INT32:
        element.int32 = (int32_t)value;
        break;
    case PG_INT64:
        element.int64 = value;
        break;
    case PG_FLOAT32:
        element.float32 = (float)value;
        break;
    case PG_FLOAT64:
        element.float64 = (double)value;
        break;
    }
    repeat(t->data, t->numel, pg_itemsize[dtype], &element);
    return t;
}

pg_tensor *pg_tensor_eye(pg_dtype dtype, int64_t n, int64_t m)
{
    pg_tensor *t = pg_tensor_zeros(dtype, 2, (const int64_t[]){n, m});
    if (t == NULL)
        return NULL;
    const int64_t size = pg_itemsize[dtype], diagonal = n < m ? n : m;
    const int64_t one[] = {1};
    pg_tensor *element = pg_tensor_full_int(dtype, 1, one, 1);
    for (int64_t i = 0; element != NULL && i < diagonal; i++)
        memcpy(t->data + i * (m + 1) * size, element->data, (size_t)size);
    if (element == NULL) {
        pg_tensor_release(t);
        return NULL;
    }
    pg_tensor_release(element);
    return t;
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

static pg_tensor *bad_range(const char *text)
{
    pg_fail(PG_BAD_ARGUMENT, "%s", text);
    return NULL;
}

static pg_tensor *no_bools(const char *op)
{
    pg_fail(PG_BAD_TYPE, "%s: a range of bools is not defined", op);
    return NULL;
}

pg_tensor *pg_tensor_arange(pg_dtype dtype, double start, double end, double step)
{
    if (dtype == PG_BOOL)
        return no_bools("arange");
    if (step == 0 || step != step)
        return bad_range("arange: step must be nonzero");
    if (!isfinite(start) || !isfinite(end)) {
        pg_fail(PG_BAD_ARGUMENT, "arange: unsupported range: %g -> %g", start, end);
        return NULL;
    }
    if (step > 0 ? start > end : start < end)
        return bad_range("arange: upper bound and lower bound inconsistent with step sign");
    const double count = ceil((end - start) / step);
    if (!(count < 0x1p60)) {
        pg_fail(PG_BAD_SHAPE, "arange: %g elements are more than can be addressed", count);
        return NULL;
    }
    if (!pg_is_float(dtype)) {
        pg_fail(PG_BAD_TYPE, "arange: numbers with fractions do not fit %s", pg_dtype_name[dtype]);
        return NULL;
    }
    const int64_t n = (int64_t)count;
    pg_tensor *t = pg_tensor_empty(dtype, 1, &n);
    if (t == NULL)
        return NULL;
    /* float32 too is computed in double and rounded once. */
    for (int64_t i = 0; i < n; i++) {
        const double x = start + step * (double)i;
        if (dtype == PG_FLOAT32)
            ((float *)t->data)[i] = (float)x;
        else
            ((double *)t->data)[i] = x;
    }
    return t;
}

static void store(void *data, int dtype, int64_t i, int64_t x)
{
    switch (dtype) {
    case PG_UINT8:
        ((uint8_t *)data)[i] = (uint8_t)x;
        break;
    case PG_INT32:
        ((int32_t *)data)[i] = (int32_t)x;
        break;
    case PG_INT64:
        ((int64_t *)data)[i] = x;
        break;
    case PG_FLOAT32:
        ((float *)data)[i] = (float)x;
        break;
    default:
        ((double *)data)[i] = (double)x;
    }
}

/* start + i * step, which fits though the product may not. */
static inline int64_t nth(int64_t start, int64_t step, int64_t i)
{
    return (int64_t)((uint64_t)start + (uint64_t)i * (uint64_t)step);
}

pg_tensor *pg_tensor_arange_int(pg_dtype dtype, int64_t start, int64_t end, int64_t step)
{
    if (dtype == PG_BOOL)
        return no_bools("arange");
    if (step == 0)
        return bad_range("arange: step must be nonzero");
    if (step > 0 ? start > end : start < end)
        return bad_range("arange: upper bound and lower bound inconsistent with step sign");
    /* In unsigned arithmetic, where neither the distance nor the least step overflows. */
    const uint64_t distance = step > 0 ? (uint64_t)end - (uint64_t)start : (uint64_t)start - (uint64_t)end;
    const uint64_t stride = step > 0 ? (uint64_t)step : -(uint64_t)step;
    const uint64_t count = distance / stride + (distance % stride != 0);
    if (count > INT64_MAX) {
        pg_fail(PG_BAD_SHAPE, "arange: %llu elements are more than can be addressed", (unsigned long long)count);
        return NULL;
    }
    const int64_t n = (int64_t)count;
    if (n > 0 && (!fits("arange", dtype, start) || !fits("arange", dtype, nth(start, step, n - 1))))
        return NULL;
    pg_tensor *t = pg_tensor_empty(dtype, 1, &n);
    if (t == NULL)
        return NULL;
    for (int64_t i = 0; i < n; i++)
        store(t->data, dtype, i, nth(start, step, i));
    return t;
}

/* Each half is counted from its own end, so that a range around 0 is symmetric. */
#define LINSPACE(TYPE, STEP, POINT) \
    do { \
        const STEP from = (STEP)start, to = (STEP)end, step = n > 1 ? (to - from) / (STEP)(n - 1) : 0; \
        for (int64_t i = 0; i < n / 2; i++) \
            ((TYPE *)t->data)[i] = (TYPE)POINT(step, (STEP)i, from); \
        for (int64_t i = n / 2; i < n; i++) \
            ((TYPE *)t->data)[i] = (TYPE)POINT(-step, (STEP)(n - 1 - i), to); \
    } while (0)
/* float32 in double: the product is exact there, as in a fused multiply-add. */
#define POINT_FLOAT32(step, i, from) ((double)(from) + (double)(step) * (double)(i))

pg_tensor *pg_tensor_linspace(pg_dtype dtype, double start, double end, int64_t steps)
{
    if (dtype == PG_BOOL)
        return no_bools("linspace");
    if (steps < 0)
        return bad_range("linspace: number of steps must be non-negative");
    if (!pg_is_float(dtype)) {
        if (!(fabs(start) < 0x1p62 && fabs(end) < 0x1p62))
            return bad_range("linspace: the ends do not fit the dtype");
        if (!fits("linspace", dtype, (int64_t)start) || !fits("linspace", dtype, (int64_t)end))
            return NULL;
        start = trunc(start);
        end = trunc(end);
    }
    const int64_t n = steps;
    pg_tensor *t = pg_tensor_empty(dtype, 1, &n);
    if (t == NULL)
        return NULL;
    if (n == 1) { /* which would count as the second half */
        end = start;
    }
    switch (dtype) {
    case PG_UINT8:
        LINSPACE(uint8_t, double, fma);
        break;
    case PG_INT32:
        LINSPACE(int32_t, double, fma);
        break;
    case PG_INT64:
        LINSPACE(int64_t, double, fma);
        break;
    case PG_FLOAT32:
        LINSPACE(float, float, POINT_FLOAT32);
        break;
    default:
        LINSPACE(double, double, fma);
    }
    return t;
}
