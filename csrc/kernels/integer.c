/* Rows of ops.def that integers and bools have too, comparisons, and logic. */
#include "kernels/elementwise.h"

#define AT(T, j) (*(const T *)(p[j] + i * strides[j]))
#define LOOP(name, OUT, T, expression) \
    static void name(char *const *p, const int64_t *strides, int64_t n, const void *context) \
    { \
        (void)context; \
        if (strides[0] == sizeof(OUT) && strides[1] == sizeof(T) && strides[2] == sizeof(T)) { \
            for (int64_t i = 0; i < n; i++) { \
                const T a = ((const T *)p[1])[i], b = ((const T *)p[2])[i]; \
                ((OUT *)p[0])[i] = (OUT)(expression); \
                (void)a, (void)b; \
            } \
            return; \
        } \
        for (int64_t i = 0; i < n; i++) { \
            const T a = AT(T, 1), b = AT(T, 2); \
            *(OUT *)(p[0] + i * strides[0]) = (OUT)(expression); \
            (void)a, (void)b; \
        } \
    }

/* ---- arithmetic: overflow wraps around, as two's complement does ------------------------------------------------- */

/* a**b by squaring; a negative exponent leaves what is not 0: of 1 and -1. */
static inline int64_t power(int64_t a, int64_t b)
{
    if (b < 0)
        return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
    uint64_t result = 1, factor = (uint64_t)a;
    for (; b > 0; b >>= 1, factor *= factor)
        if (b & 1)
            result *= factor;
    return (int64_t)result;
}

/* The context of a division is a pointer to the bool that says whether there was one by zero. -1 has a way of its own:
 * the least integer divided by it is more than the largest. */
static inline int64_t without_divisor(const void *context)
{
    **(bool *const *)context = true;
    return 0;
}

static inline int64_t truncated_remainder(int64_t a, int64_t b, const void *context)
{
    return b == 0 ? without_divisor(context) : b == -1 ? 0 : a % b;
}

static inline int64_t floored_remainder(int64_t a, int64_t b, const void *context)
{
    const int64_t rest = truncated_remainder(a, b, context);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static inline int64_t floored_quotient(int64_t a, int64_t b, const void *context)
{
    if (b == 0)
        return without_divisor(context);
    return b == -1 ? (int64_t) - (uint64_t)a : a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

#define ARITHMETIC(suffix, T) \
    LOOP(add_##suffix, T, T, (uint64_t)a + (uint64_t)b) \
    LOOP(sub_##suffix, T, T, (uint64_t)a - (uint64_t)b) \
    LOOP(mul_##suffix, T, T, (uint64_t)a *(uint64_t)b) \
    LOOP(pow_##suffix, T, T, power((int64_t)a, (int64_t)b)) \
    LOOP(maximum_##suffix, T, T, a > b ? a : b) \
    LOOP(minimum_##suffix, T, T, a < b ? a : b) \
    LOOP(floor_divide_##suffix, T, T, floored_quotient((int64_t)a, (int64_t)b, context)) \
    LOOP(remainder_##suffix, T, T, floored_remainder((int64_t)a, (int64_t)b, context)) \
    LOOP(fmod_##suffix, T, T, truncated_remainder((int64_t)a, (int64_t)b, context)) \
    LOOP(same_##suffix, T, T, a) \
    LOOP(neg_##suffix, T, T, -(uint64_t)a) \
    LOOP(abs_##suffix, T, T, a < 0 ? -(uint64_t)a : (uint64_t)a) \
    LOOP(sign_##suffix, T, T, (a > 0) - (a < 0)) \
    LOOP(square_##suffix, T, T, (uint64_t)a *(uint64_t)a) \
    LOOP(relu_##suffix, T, T, a > 0 ? a : 0)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtype-limits" /* a < 0 of an unsigned type */
#endif
ARITHMETIC(uint8, uint8_t)
ARITHMETIC(int32, int32_t)
ARITHMETIC(int64, int64_t)
LOOP(add_bool, uint8_t, uint8_t, a | b)
LOOP(mul_bool, uint8_t, uint8_t, a &b)

pg_loop *pg_integer_loop(int dtype, int op)
{
#define ROW_AS(row, name) \
    case PG_OP_##row: \
        return dtype == PG_UINT8 ? name##_uint8 : dtype == PG_INT32 ? name##_int32 : name##_int64;
#define ROW(name) ROW_AS(name, name)
    if (dtype == PG_BOOL) {
        switch (op) {
        case PG_OP_add:
        case PG_OP_maximum:
        case PG_OP_fmax:
            return add_bool;
        case PG_OP_mul:
        case PG_OP_minimum:
        case PG_OP_fmin:
            return mul_bool;
        default:
            return NULL;
        }
    }
    switch (op) {
        ROW(add)
        ROW(sub)
        ROW(mul)
        ROW(pow)
        ROW(maximum)
        ROW(minimum)
        ROW(neg)
        ROW(abs)
        ROW(sign)
        ROW(square)
        ROW(relu)
        ROW(floor_divide)
        ROW(remainder)
        ROW(fmod)
        ROW_AS(fmax, maximum)
        ROW_AS(fmin, minimum)
        ROW_AS(floor, same)
        ROW_AS(ceil, same)
        ROW_AS(round, same)
        ROW_AS(trunc, same)
    default:
        return NULL;
    }
#undef ROW
#undef ROW_AS
}

/* ---- comparisons and logic --------------------------------------------------------------------------------------- */

#define COMPARISONS(suffix, T) \
    LOOP(eq_##suffix, uint8_t, T, a == b) \
    LOOP(ne_##suffix, uint8_t, T, a != b) \
    LOOP(lt_##suffix, uint8_t, T, a < b) \
    LOOP(le_##suffix, uint8_t, T, a <= b) \
    LOOP(gt_##suffix, uint8_t, T, a > b) \
    LOOP(ge_##suffix, uint8_t, T, a >= b) \
    LOOP(logical_and_##suffix, uint8_t, T, a != 0 && b != 0) \
    LOOP(logical_or_##suffix, uint8_t, T, a != 0 || b != 0) \
    LOOP(logical_xor_##suffix, uint8_t, T, (a != 0) != (b != 0))
#define BITWISE(suffix, T) \
    LOOP(bitwise_and_##suffix, T, T, a &b) \
    LOOP(bitwise_or_##suffix, T, T, a | b) \
    LOOP(bitwise_xor_##suffix, T, T, a ^ b)
COMPARISONS(uint8, uint8_t)
COMPARISONS(int32, int32_t)
COMPARISONS(int64, int64_t)
COMPARISONS(float32, float)
COMPARISONS(float64, double)
BITWISE(uint8, uint8_t)
BITWISE(int32, int32_t)
BITWISE(int64, int64_t)

pg_loop *pg_comparison_loop(int dtype, pg_comparison comparison)
{
    /* in the order of the enum; bools compare as bytes do */
#define ROW(suffix) \
    { \
        eq_##suffix, ne_##suffix, lt_##suffix, le_##suffix, gt_##suffix, ge_##suffix, logical_and_##suffix, \
            logical_or_##suffix, logical_xor_##suffix \
    }
    static pg_loop *const loops[PG_DTYPES][9] = {ROW(uint8), ROW(uint8),   ROW(int32),
                                                 ROW(int64), ROW(float32), ROW(float64)};
#undef ROW
    return loops[dtype][comparison];
}

pg_loop *pg_bitwise_loop(int dtype, pg_bitwise op)
{
#define ROW(suffix) \
    { \
        bitwise_and_##suffix, bitwise_or_##suffix, bitwise_xor_##suffix \
    }
    static pg_loop *const loops[PG_FLOAT32][3] = {ROW(uint8), ROW(uint8), ROW(int32), ROW(int64)};
#undef ROW
    return loops[dtype][op];
}
