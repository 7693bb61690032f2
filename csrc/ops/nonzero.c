/* nonzero. */
#include "ops/elementwise.h"

/* to[n][ndim]: the indices of those of is_there[numel] that are set. */
static void write_places(const uint8_t *is_there, int ndim, const int64_t *shape, int64_t numel, int64_t *to)
{
    int64_t outer[PG_MAX_DIMS] = {0};
    const int last = ndim - 1;
    for (int64_t first = 0; first < numel && ndim > 0; first += shape[last]) {
        for (int64_t i = 0; i < shape[last]; i++) {
            if (!is_there[first + i])
                continue;
            for (int d = 0; d < last; d++)
                to[d] = outer[d];
            to[last] = i;
            to += ndim;
        }
        for (int d = last - 1; d >= 0 && ++outer[d] == shape[d]; d--)
            outer[d] = 0;
    }
}

pg_tensor *pg_tensor_nonzero(pg_tensor *t)
{
    if (t == NULL)
        return NULL;
    const pg_operand pair[] = {PG_TENSOR_OPERAND(t), {.number = {.kind = PG_BOOL}}};
    pg_tensor *const some = pg_compare(PG_NE, pair);
    if (some == NULL)
        return NULL;
    const uint8_t *const is_there = (const uint8_t *)some->data;
    int64_t n = 0;
    for (int64_t i = 0; i < some->numel; i++)
        n += is_there[i];
    pg_tensor *const out = pg_tensor_empty(PG_INT64, 2, (const int64_t[]){n, t->ndim});
    if (out != NULL && n > 0)
        write_places(is_there, t->ndim, t->shape, some->numel, (int64_t *)out->data);
    pg_tensor_release(some);
    return out;
}
