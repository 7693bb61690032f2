/* Which dtype operands of different dtypes meet in: PyTorch's rules. */
#ifndef PG_PROMOTE_H
#define PG_PROMOTE_H

#include "core/tensor.h"

/* A number of the host's. It widens the category (bool, integer, float) of a result, never the width within it. */
typedef struct {
    pg_dtype kind; /* PG_BOOL, PG_INT64 or PG_FLOAT64 */
    double real;
    int64_t integer; /* the same, exactly, where kind is not a float */
} pg_number;

static inline pg_number pg_real(double x)
{
    return (pg_number){PG_FLOAT64, x, 0};
}

/* A tensor, or a number where it is NULL. */
typedef struct {
    pg_tensor *tensor;
    pg_number number;
} pg_operand;

pg_dtype pg_result_type(int n, const pg_operand *operands);
/* The dtype of what is computed from integers by functions of real numbers: float32 unless changed. */
pg_dtype pg_default_dtype(void);

/* Writes the number as one element of a dtype into slot[1]; PG_BAD_STATE, naming `op`, where it does not fit. */
pg_status pg_number_store(const char *op, pg_number number, int dtype, void *slot);

#endif
