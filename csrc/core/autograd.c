/* Nodes: how they are made, linked and freed. */
#include "core/autograd.h"

#include "core/anomaly.h"
#include "core/buffer.h"
#include "core/exposed.h"

#include <stdlib.h>

static _Thread_local int grad_disabled;

int pg_grad_enabled(void)
{
    return !grad_disabled;
}

int pg_set_grad_enabled(int enabled)
{
    const int before = !grad_disabled;
    grad_disabled = !enabled;
    return before;
}

/* Whether t was changed in place, as part of a graph, through another tensor that shares its memory: what t holds is
 * then not what its history says. */
static inline bool is_outdated(const pg_tensor *t)
{
    return PG_UNLIKELY(t->rewrites != t->storage->rewrites);
}

bool pg_records(int n, pg_tensor *const *inputs)
{
    if (grad_disabled)
        return false;
    for (int i = 0; i < n; i++)
        if (inputs[i] != NULL && (inputs[i]->flags & PG_REQUIRES_GRAD || is_outdated(inputs[i])))
            return true;
    return false;
}

/* ---- birth ------------------------------------------------------------------------------------------------------- */

static size_t rounded(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

static pg_node *new_node(const pg_function *function, int edges, int saved, int outputs, size_t params)
{
    const size_t saved_at = sizeof(pg_node) + (size_t)edges * sizeof(pg_edge),
                 outputs_at = saved_at + (size_t)saved * sizeof(pg_saved),
                 params_at = rounded(outputs_at + (size_t)outputs * sizeof(pg_output)), bytes = params_at + params;
    char *const block = pg_buffer_take(bytes);
    if (PG_UNLIKELY(block == NULL))
        return NULL;
    memset(block, 0, bytes);
    pg_node *const node = (pg_node *)block;
    node->refs = 1;
    node->n_edges = edges;
    node->n_saved = (uint16_t)saved;
    node->n_outputs = (uint16_t)outputs;
    node->bytes = bytes;
    node->function = function;
    node->saved = (pg_saved *)(block + saved_at);
    node->outputs = (pg_output *)(block + outputs_at);
    node->params = block + params_at;
    return node;
}

pg_node *pg_node_new(const pg_function *function, int n, pg_tensor *const *inputs, int saved, int outputs,
                     size_t params)
{
    pg_node *const node = new_node(function, n, saved, outputs, params);
    if (PG_UNLIKELY(node == NULL))
        return NULL;
    for (int i = 0; i < n; i++) {
        if (inputs[i] == NULL)
            continue;
        if (is_outdated(inputs[i])) {
            pg_fail(PG_BAD_STATE,
                    "input %d of an operation, of shape %s, was changed in place, in a computation that is "
                    "differentiated, through another tensor that shares its memory: use that tensor, or clone() "
                    "before the change",
                    i, PG_SHAPE(inputs[i]));
            pg_node_release(node);
            return NULL;
        }
        if (!(inputs[i]->flags & PG_REQUIRES_GRAD))
            continue;
        node->edges[i].node = pg_node_retain(pg_gradient_node(inputs[i]));
        node->edges[i].output = inputs[i]->output;
        if (PG_UNLIKELY(node->edges[i].node == NULL)) {
            pg_node_release(node);
            return NULL;
        }
    }
    if (!pg_anomaly_is_off() && !pg_note_forward(node, n, inputs)) {
        pg_node_release(node);
        return NULL;
    }
    return node;
}

/* A leaf's own node: where its gradient arrives, and stays. */
const pg_function pg_accumulate_function = {.name = "AccumulateGrad", .is_whole = true};

pg_node *pg_gradient_node(pg_tensor *t)
{
    if (t->node == NULL) {
        t->node = new_node(&pg_accumulate_function, 0, 0, 1, 0);
        if (t->node != NULL)
            t->node->outputs[0].retains = true;
    }
    return t->node;
}

bool pg_is_leaf(const pg_tensor *t)
{
    return t->node == NULL || t->node->function == &pg_accumulate_function;
}

void pg_save(pg_node *node, int i, pg_tensor *t)
{
    if (node == NULL || t == NULL)
        return;
    /* What nobody has seen yet is an output, which is about to get this node for its history. */
    const bool is_output = t->host == NULL && t->node == NULL && !(t->flags & PG_REQUIRES_GRAD);
    pg_tensor *const kept = is_output ? pg_tensor_another(t) : pg_tensor_retain(t);
    if (PG_UNLIKELY(kept == NULL))
        node->broken = true;
    else
        pg_guard(&node->saved[i], kept);
}

static void attach_output(pg_node *node, int k, pg_tensor *out)
{
    out->node = pg_node_retain(node);
    out->output = (uint32_t)k;
    out->flags |= PG_REQUIRES_GRAD;
}

pg_tensor *pg_attach(pg_tensor *out, pg_node *node)
{
    if (PG_UNLIKELY(out == NULL || node == NULL || node->broken)) {
        pg_tensor_release(out);
        out = NULL;
    } else {
        attach_output(node, 0, out);
        if (PG_UNLIKELY(node->note != NULL))
            pg_note_output(node->note, out);
    }
    pg_node_release(node);
    return out;
}

bool pg_attach_all(pg_node *node, int n, pg_tensor **outs)
{
    const bool whole = node != NULL && !node->broken;
    for (int k = 0; k < n; k++) {
        if (outs[k] == NULL)
            continue;
        if (!whole) {
            pg_tensor_release(outs[k]);
            outs[k] = NULL;
        } else if (pg_is_float(outs[k]->dtype)) {
            attach_output(node, k, outs[k]);
            if (PG_UNLIKELY(node->note != NULL))
                pg_note_output(node->note, outs[k]);
        }
    }
    pg_node_release(node);
    return whole;
}

/* ---- death -------------------------------------------------------------------------------------------------------
 *
 * A chain of a million nodes dies without recursion: a node whose count falls to zero goes on a list, which the
 * outermost release of the thread works through. */

pg_node *pg_node_retain(pg_node *node)
{
    if (node != NULL)
        node->refs++;
    return node;
}

pg_host_functions pg_host;

static void bury(pg_node *node)
{
    if (node->function->bury != NULL)
        node->function->bury(node);
    for (int i = 0; i < node->n_edges; i++)
        pg_node_release(node->edges[i].node);
    for (int i = 0; i < node->n_saved; i++)
        pg_unguard(&node->saved[i]);
    for (int i = 0; i < node->n_outputs; i++) {
        pg_tensor_release(node->outputs[i].grad);
        pg_tensor_release(node->outputs[i].incoming);
        if (node->outputs[i].hooks != NULL)
            pg_host.drop(node->outputs[i].hooks);
        if (node->outputs[i].post_hooks != NULL)
            pg_host.drop(node->outputs[i].post_hooks);
    }
    if (PG_UNLIKELY(node->note != NULL))
        pg_note_release(node->note);
    pg_buffer_give(node, node->bytes);
}

void pg_node_release(pg_node *node)
{
    static _Thread_local pg_node *pending;
    static _Thread_local bool working;
    if (node == NULL || --node->refs > 0)
        return;
    node->next = pending;
    pending = node;
    if (working)
        return;
    working = true;
    while (pending != NULL) {
        node = pending;
        pending = node->next;
        bury(node);
    }
    working = false;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

const char *pg_node_name(const pg_node *node)
{
    const pg_function *const function = node->function;
    if (function->name_of != NULL)
        return function->name_of(node);
    return function->names != NULL ? function->names[node->op] : function->name;
}

const char *pg_node_suffix(const pg_node *node)
{
    if (node->function->is_whole)
        return "";
    return node->function->name_of != NULL ? "Backward" : "Backward0";
}

/* ---- in rules ---------------------------------------------------------------------------------------------------- */

pg_status pg_done(const pg_node *node, pg_tensor *const *out)
{
    for (int i = 0; i < node->n_edges; i++)
        if (pg_wants(node, i) && out[i] == NULL)
            return pg_failure();
    return PG_OK;
}

pg_tensor *pg_sum_to_shape(pg_tensor *g, int ndim, const int64_t *shape)
{
    if (g == NULL)
        return NULL;
    int64_t dims[PG_MAX_DIMS];
    int n = 0;
    const int added = g->ndim - ndim;
    for (int i = 0; i < g->ndim; i++)
        if (i < added || (shape[i - added] == 1 && g->shape[i] != 1))
            dims[n++] = i;
    if (n == 0)
        return pg_tensor_retain(g);
    pg_tensor *const sum = pg_tensor_sum(g, n, dims, 1);
    if (sum == NULL || added == 0)
        return sum;
    pg_tensor *const out = pg_tensor_reshape(sum, ndim, shape);
    pg_tensor_release(sum);
    return out;
}

pg_tensor *pg_saved_output(pg_node *node, int i, int output)
{
    pg_tensor *const y = pg_tensor_another(node->saved[i].tensor);
    if (y != NULL)
        attach_output(node, output, y);
    return y;
}

static pg_status alias_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    out[0] = pg_tensor_retain(grads[0]);
    return pg_done(node, out);
}

static const pg_function alias_function = {.name = "Alias", .backward = alias_backward, .is_view = true};

pg_tensor *pg_tensor_alias(pg_tensor *t)
{
    pg_tensor *const alias = pg_tensor_another(t);
    return alias == NULL || !pg_records(1, &t) ? alias : pg_attach(alias, pg_node_new(&alias_function, 1, &t, 0, 1, 0));
}

/* ---- leaves and their gradients ---------------------------------------------------------------------------------- */

int pg_tensor_requires_grad(const pg_tensor *t)
{
    return (t->flags & PG_REQUIRES_GRAD) != 0;
}

pg_status pg_tensor_set_requires_grad(pg_tensor *t, int requires_grad)
{
    if (!requires_grad && !pg_is_leaf(t))
        return pg_fail(PG_BAD_STATE,
                       "requires_grad_: you can only change requires_grad flags of leaf variables; to use "
                       "a computed tensor without its history call detach()");
    if (requires_grad && !pg_is_float(t->dtype))
        return pg_fail(PG_BAD_STATE,
                       "requires_grad_: only Tensors of floating point dtype can require gradients, and "
                       "this one is of dtype %s",
                       pg_dtype_name[t->dtype]);
    if (requires_grad)
        t->flags |= PG_REQUIRES_GRAD;
    else
        t->flags &= (uint8_t)~PG_REQUIRES_GRAD;
    /* Graphs that were built before heed it too. */
    if (pg_is_leaf(t) && t->node != NULL)
        t->node->outputs[t->output].retains = requires_grad;
    return PG_OK;
}

pg_tensor *pg_tensor_grad(const pg_tensor *t)
{
    return t->node == NULL ? NULL : t->node->outputs[t->output].grad;
}

pg_status pg_tensor_set_grad(pg_tensor *t, pg_tensor *grad)
{
    if (grad == NULL) {
        if (t->node != NULL) {
            pg_tensor *const old = t->node->outputs[t->output].grad;
            t->node->outputs[t->output].grad = NULL;
            pg_tensor_release(old);
        }
        return PG_OK;
    }
    if (!pg_same_shape(t, grad))
        return pg_fail(PG_BAD_SHAPE, "grad: the gradient of a tensor of shape %s has that shape, not %s", PG_SHAPE(t),
                       PG_SHAPE(grad));
    if (t->dtype != grad->dtype)
        return pg_fail(PG_BAD_STATE, "grad: the gradient of a tensor of dtype %s has that dtype, not %s",
                       pg_dtype_name[t->dtype], pg_dtype_name[grad->dtype]);
    pg_node *const node = pg_gradient_node(t);
    if (node == NULL)
        return PG_NO_MEMORY;
    pg_tensor *const old = node->outputs[t->output].grad;
    node->outputs[t->output].grad = pg_tensor_retain(grad);
    pg_tensor_release(old);
    return PG_OK;
}

/* ---- changes in place -------------------------------------------------------------------------------------------- */

bool pg_overlaps_itself(const pg_tensor *t)
{
    if (pg_is_contiguous(t))
        return false;
    /* From the smallest stride on: each has to lead beyond what the dimensions before it reach. */
    bool seen[PG_MAX_DIMS] = {false};
    int64_t reach = 0;
    for (int n = 0; n < t->ndim; n++) {
        int next = -1;
        for (int i = 0; i < t->ndim; i++)
            if (!seen[i] && (next < 0 || llabs(t->strides[i]) < llabs(t->strides[next])))
                next = i;
        seen[next] = true;
        if (t->shape[next] == 1)
            continue;
        if (llabs(t->strides[next]) <= reach)
            return true;
        reach += (t->shape[next] - 1) * llabs(t->strides[next]);
    }
    return false;
}

/* Whether t is a leaf that requires a gradient, or a view of one. */
static bool is_leafs_memory(const pg_tensor *t)
{
    const pg_node *node = t->node;
    while (node != NULL && node->function->is_view)
        node = node->edges[0].node;
    return node == NULL || node->function == &pg_accumulate_function;
}

pg_status pg_check_history(const char *op, const pg_tensor *t)
{
    if (!is_outdated(t))
        return PG_OK;
    return pg_fail(PG_BAD_STATE,
                   "%s: the tensor was changed in place, in a computation that is differentiated, through another "
                   "tensor that shares its memory: use that tensor, or clone() before the change",
                   op);
}

/* While recording. */
static pg_status check_rewrite(const char *op, const pg_tensor *t)
{
    if (pg_check_history(op, t) != PG_OK)
        return PG_BAD_STATE;
    if (t->flags & PG_UNTRACKED)
        return pg_fail(PG_BAD_STATE,
                       "%s: a view was created in no_grad mode and is being modified inplace with grad mode enabled: "
                       "make both inside no_grad(), so that the change is not recorded, or both outside",
                       op);
    if (t->flags & PG_REQUIRES_GRAD && is_leafs_memory(t))
        return pg_fail(PG_BAD_STATE,
                       "%s: a %sleaf Variable that requires grad is being used in an in-place operation: "
                       "change it under no_grad()",
                       op, pg_is_leaf(t) ? "" : "view of a ");
    return PG_OK;
}

pg_status pg_check_in_place(const char *op, const pg_tensor *t)
{
    if (!grad_disabled && check_rewrite(op, t) != PG_OK)
        return PG_BAD_STATE;
    if (pg_overlaps_itself(t))
        return pg_fail(PG_BAD_STATE,
                       "%s: unsupported operation: more than one element of the written-to tensor of shape "
                       "%s refers to a single memory location; clone() it first",
                       op, PG_SHAPE(t));
    return PG_OK;
}
