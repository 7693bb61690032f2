/* Copying between layouts and dtypes. */
#include "core/iterate.h"

/* Conversions to integers are those of C where C defines them; what does not fit becomes the smallest int64 first, as
 * on x86-64, on every machine. */
static inline int64_t integer_of(double x)
{
    return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
}

#define AS_IS(x) (x)
#define NOT_ZERO(x) ((x) != 0)
#define INTEGER(x) integer_of((double)(x))

/* One loop per pair of dtypes; CONVERT goes from the source's C type to the target's. */
#define LOOP(name, TO, FROM, CONVERT) \
    static void name(char *const *p, const int64_t *strides, int64_t n, const void *context) \
    { \
        (void)context; \
        char *to = p[0]; \
        const char *from = p[1]; \
        if (strides[0] == sizeof(TO) && strides[1] == sizeof(FROM)) { \
            for (int64_t i = 0; i < n; i++) \
                ((TO *)to)[i] = (TO)CONVERT(((const FROM *)from)[i]); \
            return; \
        } \
        for (int64_t i = 0; i < n; i++, to += strides[0], from += strides[1]) \
            *(TO *)to = (TO)CONVERT(*(const FROM *)from); \
    }
#define LOOPS_FROM(from, FROM, TO_INTEGER, TO_BOOL) \
    LOOP(from##_to_bool, uint8_t, FROM, TO_BOOL) \
    LOOP(from##_to_uint8, uint8_t, FROM, TO_INTEGER) \
    LOOP(from##_to_int32, int32_t, FROM, TO_INTEGER) \
    LOOP(from##_to_int64, int64_t, FROM, TO_INTEGER) \
    LOOP(from##_to_float32, float, FROM, AS_IS) \
    LOOP(from##_to_float64, double, FROM, AS_IS)
LOOPS_FROM(bool, uint8_t, AS_IS, AS_IS)
LOOPS_FROM(uint8, uint8_t, AS_IS, NOT_ZERO)
LOOPS_FROM(int32, int32_t, AS_IS, NOT_ZERO)
LOOPS_FROM(int64, int64_t, AS_IS, NOT_ZERO)
LOOPS_FROM(float32, float, INTEGER, NOT_ZERO)
LOOPS_FROM(float64, double, INTEGER, NOT_ZERO)

#define ROW(from) \
    { \
        from##_to_bool, from##_to_uint8, from##_to_int32, from##_to_int64, from##_to_float32, from##_to_float64 \
    }
static pg_loop *const loops[PG_DTYPES][PG_DTYPES] = {ROW(bool),  ROW(uint8),   ROW(int32),
                                                     ROW(int64), ROW(float32), ROW(float64)};

pg_status pg_tensor_assign(pg_tensor *to, const pg_tensor *from)
{
    if (to->dtype == from->dtype && pg_is_contiguous(to) && pg_is_contiguous(from) && pg_same_shape(to, from)) {
        memmove(to->data, from->data, (size_t)to->numel * pg_itemsize[to->dtype]);
        return PG_OK;
    }
    int64_t shape[PG_MAX_DIMS];
    int ndim = to->ndim;
    memcpy(shape, to->shape, sizeof shape);
    const pg_status status = pg_broadcast_shape("copy_", &ndim, shape, from->ndim, from->shape);
    if (status != PG_OK)
        return status;
    if (ndim != to->ndim || memcmp(shape, to->shape, (size_t)ndim * sizeof *shape) != 0)
        return pg_fail(PG_BAD_SHAPE, "copy_: a tensor of shape %s cannot be broadcast to %s", PG_SHAPE(from),
                       PG_SHAPE(to));
    pg_iter iter;
    pg_iter_start(&iter, ndim, shape, 2, (const pg_tensor *[]){to, from});
    pg_iter_run(&iter, loops[from->dtype][to->dtype], NULL);
    return PG_OK;
}

static pg_tensor *copied(pg_tensor *t, pg_dtype dtype)
{
    pg_tensor *copy = pg_tensor_empty_like(t, dtype);
    if (copy != NULL && pg_tensor_assign(copy, t) != PG_OK) {
        pg_tensor_release(copy);
        return NULL;
    }
    return copy;
}

pg_tensor *pg_tensor_copy(pg_tensor *t)
{
    return t == NULL ? NULL : copied(t, t->dtype);
}

pg_tensor *pg_tensor_packed(pg_tensor *t)
{
    if (t == NULL || pg_is_contiguous(t))
        return pg_tensor_retain(t);
    return copied(t, t->dtype);
}

pg_tensor *pg_tensor_cast(pg_tensor *t, pg_dtype dtype)
{
    if (t == NULL || t->dtype == dtype)
        return pg_tensor_retain(t);
    return copied(t, dtype);
}

pg_tensor *pg_tensor_full(pg_dtype dtype, int ndim, const int64_t *shape, double value)
{
    pg_tensor *const t = pg_tensor_empty(dtype, ndim, shape);
    if (t == NULL)
        return NULL;
    const int64_t strides[] = {pg_itemsize[dtype], 0};
    if (t->numel > 0)
        loops[PG_FLOAT64][dtype]((char *const[]){t->data, (char *)&value}, strides, t->numel, NULL);
    return t;
}
