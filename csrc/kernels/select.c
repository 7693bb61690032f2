#include "kernels/select.h"

#define AT(T, j) (*(const T *)(p[j] + i * strides[j]))
#define LOOP(name, T, expression) \
    static void name(char *const *p, const int64_t *strides, int64_t n, const void *context) \
    { \
        (void)context; \
        for (int64_t i = 0; i < n; i++) \
            *(T *)(p[0] + i * strides[0]) = (expression); \
    }

#define WHERE(bytes, T) LOOP(where_##bytes, T, AT(uint8_t, 1) ? AT(T, 2) : AT(T, 3))
WHERE(1, uint8_t)
WHERE(4, uint32_t)
WHERE(8, uint64_t)

pg_loop *pg_where_loop(int itemsize)
{
    return itemsize == 1 ? where_1 : itemsize == 4 ? where_4 : where_8;
}

/* `x != x` is true for nan only. */
#define CLAMP(suffix, T) \
    static inline T clamp_##suffix(T x, T low, T high) \
    { \
        x = x < low || low != low ? low : x; \
        return x > high || high != high ? high : x; \
    } \
    LOOP(clamp_loop_##suffix, T, clamp_##suffix(AT(T, 1), AT(T, 2), AT(T, 3)))
#define CLAMP_SLOPE(suffix, T) \
    LOOP(clamp_slope_##suffix, T, AT(T, 2) >= AT(T, 3) && AT(T, 2) <= AT(T, 4) ? AT(T, 1) : 0)
CLAMP(uint8, uint8_t)
CLAMP(int32, int32_t)
CLAMP(int64, int64_t)
CLAMP(float32, float)
CLAMP(float64, double)
CLAMP_SLOPE(float32, float)
CLAMP_SLOPE(float64, double)

pg_loop *pg_clamp_loop(int dtype)
{
    static pg_loop *const loops[PG_DTYPES] = {
        NULL, clamp_loop_uint8, clamp_loop_int32, clamp_loop_int64, clamp_loop_float32, clamp_loop_float64};
    return loops[dtype];
}

pg_loop *pg_clamp_slope_loop(int dtype)
{
    return dtype == PG_FLOAT32 ? clamp_slope_float32 : clamp_slope_float64;
}
