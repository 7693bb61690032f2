#include "core/autograd.h"

static pg_status to_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_wants(node, 0))
        out[0] = pg_tensor_to(grads[0], *(const pg_dtype *)node->params);
    return pg_done(node, out);
}

static const pg_function to_function = {.name = "ToCopy", .backward = to_backward};

pg_tensor *pg_tensor_to(pg_tensor *t, pg_dtype dtype)
{
    if (t == NULL || t->dtype == dtype)
        return pg_tensor_retain(t);
    pg_tensor *const out = pg_tensor_cast(t, dtype);
    if (out == NULL || !pg_is_float(dtype) || !pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&to_function, 1, &t, 0, 1, sizeof(pg_dtype));
    if (node != NULL)
        *(pg_dtype *)node->params = t->dtype;
    return pg_attach(out, node);
}
