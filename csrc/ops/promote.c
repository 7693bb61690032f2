#include "ops/promote.h"

static pg_dtype default_dtype = PG_FLOAT32;

pg_dtype pg_default_dtype(void)
{
    return default_dtype;
}

pg_status pg_set_default_dtype(pg_dtype dtype)
{
    if (!pg_is_float(dtype))
        return pg_fail(PG_BAD_TYPE, "set_default_dtype: only float32 and float64 can be the default, not %s",
                       pg_dtype_name[dtype]);
    default_dtype = dtype;
    return PG_OK;
}

enum { NOTHING = -1 };

static int later(int a, int b)
{
    return a > b ? a : b;
}

/* Of a class of operands that counts more and one that counts less. */
static int combined(int higher, int lower)
{
    if (higher == NOTHING)
        return lower;
    if (pg_is_float(higher))
        return higher;
    return higher == PG_BOOL || pg_is_float(lower) ? later(higher, lower) : higher;
}

pg_dtype pg_result_type(int n, const pg_operand *operands)
{
    int of_tensors = NOTHING, of_scalar_tensors = NOTHING, of_numbers = NOTHING;
    for (int i = 0; i < n; i++) {
        const pg_tensor *const t = operands[i].tensor;
        if (t == NULL) {
            const int kind = operands[i].number.kind;
            of_numbers = later(of_numbers, kind == PG_FLOAT64 ? (int)default_dtype : kind);
        } else if (t->ndim > 0) {
            of_tensors = later(of_tensors, t->dtype);
        } else {
            of_scalar_tensors = later(of_scalar_tensors, t->dtype);
        }
    }
    return combined(of_tensors, combined(of_scalar_tensors, of_numbers));
}

pg_status pg_number_store(const char *op, pg_number number, int dtype, void *slot)
{
    const int64_t i = number.integer;
    const bool is_integer = number.kind != PG_FLOAT64;
    bool fits = true;
    switch (dtype) {
    case PG_FLOAT64:
        *(double *)slot = is_integer ? (double)i : number.real;
        break;
    case PG_FLOAT32:
        *(float *)slot = is_integer ? (float)i : (float)number.real;
        break;
    case PG_INT64:
        *(int64_t *)slot = i;
        break;
    case PG_INT32:
        fits = i >= INT32_MIN && i <= INT32_MAX;
        *(int32_t *)slot = fits ? (int32_t)i : 0;
        break;
    default:
        fits = dtype == PG_BOOL || (i >= -UINT8_MAX && i <= UINT8_MAX); /* negative ones wrap around, as in PyTorch */
        *(uint8_t *)slot = dtype == PG_BOOL ? i != 0 : (uint8_t)i;
    }
    if (!fits)
        return pg_fail(PG_BAD_STATE, "%s: value %lld cannot be converted to type %s without overflow", op, (long long)i,
                       pg_dtype_name[dtype]);
    return PG_OK;
}
