/* ops.def as loops over elements of one floating type. Define REAL, LIBM(name) as in ops/vocabulary.h, and NAMED(x), which makes
 * names of the type, before including this. */

static inline REAL NAMED(sigmoid)(REAL x)
{
    const REAL e = LIBM(exp)(-LIBM(fabs)(x));
    return (x < 0 ? e : 1) / (1 + e);
}
#define SIGMOID(x) NAMED(sigmoid)(x)
#include "ops/vocabulary.h"

#define AT(j) (*(const REAL *)(p[j] + i * strides[j]))
#define PACKED(j) (((const REAL *)p[j])[i])
#define SIZE ((int64_t)sizeof(REAL))

#define LOOP(name, PACKED_TEST, PACKED_VALUE, FIXED_TEST, FIXED_VALUE, VALUE) \
    static void NAMED(name)(char *const *p, const int64_t *strides, int64_t n, const void *context) \
    { \
        (void)context; \
        if (strides[0] == SIZE && (PACKED_TEST)) { \
            REAL *const out = (REAL *)p[0]; \
            PG_INDEPENDENT \
            for (int64_t i = 0; i < n; i++) \
                out[i] = PACKED_VALUE; \
        } else if (strides[0] == SIZE && (FIXED_TEST)) { \
            REAL *const out = (REAL *)p[0]; \
            const REAL fixed = *(const REAL *)p[FIXED]; \
            PG_INDEPENDENT \
            for (int64_t i = 0; i < n; i++) \
                out[i] = FIXED_VALUE; \
        } else { \
            for (int64_t i = 0; i < n; i++) \
                *(REAL *)(p[0] + i * strides[0]) = VALUE; \
        } \
    }

/* Values: y, a, b. The second form of the loop is for a `b` that stays. */
#define IS_PACKED(j) (strides[j] == SIZE)
#define FIXED 2
#define UNARY(name, symbol, saves, value, da, domain, doc) \
    static inline REAL NAMED(value_##name)(REAL a) \
    { \
        return value; \
    } \
    LOOP(loop_##name, IS_PACKED(1), NAMED(value_##name)(PACKED(1)), false, fixed, NAMED(value_##name)(AT(1)))
#define BINARY(name, symbol, saves, value, da, db, domain_a, domain_b, doc) \
    static inline REAL NAMED(value_##name)(REAL a, REAL b) \
    { \
        return value; \
    } \
    LOOP(loop_##name, IS_PACKED(1) && IS_PACKED(2), NAMED(value_##name)(PACKED(1), PACKED(2)), \
         IS_PACKED(1) && strides[2] == 0, NAMED(value_##name)(PACKED(1), fixed), NAMED(value_##name)(AT(1), AT(2)))
#include "ops/ops.def"
#undef UNARY
#undef BINARY
#undef FIXED

/* Gradients: out, g, a, b, y. Here the second form is for a `b` that stays, too. */
#define FIXED 3
#define UNUSED __attribute__((unused))
#define UNARY(name, symbol, saves, value, da, domain, doc) \
    static inline REAL NAMED(da_##name)(UNUSED REAL g, UNUSED REAL a, UNUSED REAL y) \
    { \
        return da; \
    } \
    LOOP(loop_da_##name, IS_PACKED(1) && IS_PACKED(2) && IS_PACKED(4), \
         NAMED(da_##name)(PACKED(1), PACKED(2), PACKED(4)), false, fixed, NAMED(da_##name)(AT(1), AT(2), AT(4)))
#define SLOPE(d, name, text) \
    static inline REAL NAMED(d##name)(UNUSED REAL g, UNUSED REAL a, UNUSED REAL b, UNUSED REAL y) \
    { \
        return text; \
    } \
    LOOP(loop_##d##name, IS_PACKED(1) && IS_PACKED(2) && IS_PACKED(3) && IS_PACKED(4), \
         NAMED(d##name)(PACKED(1), PACKED(2), PACKED(3), PACKED(4)), \
         IS_PACKED(1) && IS_PACKED(2) && strides[3] == 0 && IS_PACKED(4), \
         NAMED(d##name)(PACKED(1), PACKED(2), fixed, PACKED(4)), NAMED(d##name)(AT(1), AT(2), AT(3), AT(4)))
#define BINARY(name, symbol, saves, value, da, db, domain_a, domain_b, doc) SLOPE(da_, name, da) SLOPE(db_, name, db)
#include "ops/ops.def"
#undef UNARY
#undef BINARY
#undef SLOPE
#undef UNUSED
#undef FIXED
#undef IS_PACKED

const pg_float_loops NAMED(pg_loops)[] = {
#define UNARY(name, ...) {NAMED(loop_##name), {NAMED(loop_da_##name), NULL}},
#define BINARY(name, ...) {NAMED(loop_##name), {NAMED(loop_da_##name), NAMED(loop_db_##name)}},
#include "ops/ops.def"
#undef UNARY
#undef BINARY
};

#undef LOOP
#undef AT
#undef PACKED
#undef SIZE
#include "ops/vocabulary_end.h"
#undef NAMED
