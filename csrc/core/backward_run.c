/* Running the nodes of a walk: what arrives at one, what it makes of it, and where that goes. */
#include "core/backward.h"

#include "core/accumulate.h"
#include "core/anomaly.h"
#include "core/buffer.h"
#include "core/exposed.h"

static pg_status check_saved(const pg_node *node)
{
    if (node->freed)
        return pg_fail(
            PG_BAD_STATE,
            "%s: Trying to backward through the graph a second time: its saved tensors were freed by the first "
            "backward() or autograd.grad(). Specify retain_graph=True there if you need this.",
            pg_node_name(node));
    for (int i = 0; i < node->n_saved; i++) {
        const pg_saved *const saved = &node->saved[i];
        if (saved->tensor == NULL)
            continue;
        if (saved->tensor->storage->version == saved->version) {
            if (!pg_was_overwritten(saved))
                continue;
            return pg_fail(PG_BAD_STATE,
                           "%s: one of the variables needed for gradient computation has been modified by an inplace "
                           "operation: a %s tensor of shape %s, through an array that shares its memory. Change a "
                           "copy of it.",
                           pg_node_name(node), pg_dtype_name[saved->tensor->dtype], PG_SHAPE(saved->tensor));
        }
        return pg_fail(PG_BAD_STATE,
                       "%s: one of the variables needed for gradient computation has been modified by an inplace "
                       "operation: a %s tensor of shape %s is at version %u; expected version %u instead. Change a "
                       "clone() of it.",
                       pg_node_name(node), pg_dtype_name[saved->tensor->dtype], PG_SHAPE(saved->tensor),
                       saved->tensor->storage->version, saved->version);
    }
    return PG_OK;
}

static void free_saved(pg_node *node)
{
    for (int i = 0; i < node->n_saved; i++) {
        node->freed |= node->saved[i].tensor != NULL;
        pg_unguard(&node->saved[i]);
    }
}

/* Lets the hooks see *grad, and adds it to what `.grad` shows. */
static pg_status arrive(pg_output *output, pg_tensor **grad)
{
    pg_status status = output->hooks == NULL ? PG_OK : pg_host.run(output->hooks, grad);
    if (status == PG_OK)
        status = pg_accumulate(&output->grad, *grad);
    return status == PG_OK && output->post_hooks != NULL ? pg_host.run_post(output->post_hooks) : status;
}

/* Runs the node's function on the gradients of its outputs and passes on what it gives. */
static pg_status run_function(const pg_walk *walk, pg_node *node)
{
    enum { FEW = 8 };
    pg_tensor *few_grads[FEW], *few_outs[FEW], **grads = few_grads, **outs = few_outs;
    const size_t grads_bytes = (size_t)node->n_outputs * sizeof *grads,
                 outs_bytes = (size_t)node->n_edges * sizeof *outs;
    if (node->n_outputs > FEW && (grads = pg_buffer_take(grads_bytes)) == NULL)
        return PG_NO_MEMORY;
    if (node->n_edges > FEW && (outs = pg_buffer_take(outs_bytes)) == NULL) {
        if (grads != few_grads)
            pg_buffer_give(grads, grads_bytes);
        return PG_NO_MEMORY;
    }
    for (int k = 0; k < node->n_outputs; k++)
        grads[k] = node->outputs[k].incoming;
    memset(outs, 0, outs_bytes);
    pg_note *const outer = PG_UNLIKELY(walk->anomaly != PG_ANOMALY_OFF) ? pg_watch(walk, node) : NULL;
    pg_status status = check_saved(node);
    if (status == PG_OK)
        status = node->function->backward(node, grads, outs);
    if (PG_UNLIKELY(walk->anomaly != PG_ANOMALY_OFF))
        status = pg_watched(walk, node, grads, outs, status, outer);
    if (!walk->retain_graph && status == PG_OK)
        free_saved(node);
    for (int i = 0; i < node->n_edges; i++) {
        const pg_edge *const edge = &node->edges[i];
        if (outs[i] == NULL)
            continue;
        if (status == PG_OK && edge->node != NULL && is_passed_over(walk, edge->node)) {
            status = arrive(&edge->node->outputs[0], &outs[i]);
            pg_tensor_release(outs[i]);
        } else if (status == PG_OK && edge->node != NULL && edge->node->wanted)
            status = pg_add_gradient(&edge->node->outputs[edge->output].incoming, outs[i]);
        else
            pg_tensor_release(outs[i]);
    }
    if (grads != few_grads)
        pg_buffer_give(grads, grads_bytes);
    if (outs != few_outs)
        pg_buffer_give(outs, outs_bytes);
    return status;
}

static void capture(const pg_walk *walk, const pg_node *node)
{
    for (int i = 0; i < walk->n_inputs; i++)
        if (walk->inputs[i]->node == node)
            walk->captured[i] = pg_tensor_retain(node->outputs[walk->inputs[i]->output].incoming);
}

pg_status pg_run_node(const pg_walk *walk, pg_node *node)
{
    bool arrived = false;
    for (int k = 0; k < node->n_outputs; k++) {
        pg_output *const output = &node->outputs[k];
        if (output->incoming == NULL)
            continue;
        arrived = true;
        pg_status status;
        if (walk->n_inputs == 0 && output->retains)
            status = arrive(output, &output->incoming);
        else
            status = output->hooks == NULL ? PG_OK : pg_host.run(output->hooks, &output->incoming);
        if (status != PG_OK)
            return status;
    }
    if (node->wanted & CAPTURED)
        capture(walk, node);
    return arrived && node->wanted & RUNS && node->function->backward != NULL ? run_function(walk, node) : PG_OK;
}
