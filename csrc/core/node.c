#include "core/node.h"

static size_t block_bytes(const pg_block *block)
{
    return sizeof *block + (size_t)block->n * (block->numbers ? sizeof(double) : sizeof(pg_value *));
}

pg_block *pg_block_new(int64_t n, bool numbers)
{
    size_t bytes;
    pg_block *block = pg_alloc_array((size_t)n, numbers ? sizeof(double) : sizeof(pg_value *), sizeof *block, &bytes);
    if (block != NULL)
        *block = (pg_block){.refs = 1, .n = n, .numbers = numbers};
    return block;
}

void pg_block_free(pg_block *block)
{
    pg_free(block, block_bytes(block));
}

double pg_data(const pg_value *v)
{
    return v->data;
}

double pg_grad(const pg_value *v)
{
    return v->grad;
}

void pg_set_data(pg_value *v, double data)
{
    v->data = data;
}

void pg_set_grad(pg_value *v, double grad)
{
    v->grad = grad;
}
