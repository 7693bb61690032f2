/* Comparison and logic: without history. */
#include "ops/elementwise.h"

static pg_tensor *without_history(const char *op, const pg_operand *operands, int dtype, int out_dtype, pg_loop *loop)
{
    char numbers[2][8];
    int64_t shape[PG_MAX_DIMS];
    int ndim;
    pg_tensor *inputs[2] = {NULL, NULL}, *out = NULL;
    for (int i = 0; i < 2; i++)
        if (operands[i].tensor == NULL && pg_number_store(op, operands[i].number, dtype, numbers[i]) != PG_OK)
            return NULL;
    const int recording = pg_set_grad_enabled(0);
    const bool cast = pg_cast_operands(2, operands, (pg_dtype)dtype, inputs);
    pg_set_grad_enabled(recording);
    if (!cast)
        return NULL;
    if (pg_operands_shape(op, 2, inputs, &ndim, shape) == PG_OK &&
        (out = pg_tensor_empty((pg_dtype)out_dtype, ndim, shape)) != NULL) {
        pg_iter iter;
        pg_iter_start(&iter, ndim, shape, 3, (const pg_tensor *[]){out, inputs[0], inputs[1]});
        for (int i = 0; i < 2; i++)
            if (inputs[i] == NULL)
                iter.data[i + 1] = numbers[i];
        pg_iter_run(&iter, loop, NULL);
    }
    pg_tensor_release(inputs[0]);
    pg_tensor_release(inputs[1]);
    return out;
}

pg_tensor *pg_compare(pg_comparison comparison, const pg_operand *operands)
{
    static const char *const op[] = {"eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"};
    const int dtype = pg_result_type(2, operands);
    return without_history(op[comparison], operands, dtype, PG_BOOL, pg_comparison_loop(dtype, comparison));
}

pg_tensor *pg_bitwise_op(pg_bitwise bitwise, const pg_operand *operands)
{
    static const char *const op[] = {"bitwise_and", "bitwise_or", "bitwise_xor"};
    const int dtype = pg_result_type(2, operands);
    if (pg_is_float(dtype)) {
        pg_fail(PG_BAD_STATE, "%s: not defined for %s: only for bool and integers", op[bitwise], pg_dtype_name[dtype]);
        return NULL;
    }
    return without_history(op[bitwise], operands, dtype, dtype, pg_bitwise_loop(dtype, bitwise));
}
