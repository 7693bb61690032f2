/* Backward over tensors.
 *
 * Three passes over the nodes behind the roots, none of them recursive:
 *
 *   reach    stamps every node and counts how many of its consumers are among them;
 *   arrange  puts them into an order in which every node comes after all its consumers (Kahn), and, for chosen inputs,
 *            marks the nodes that lie between these and the roots;
 *   run      hands each node's gradient, which is whole by then, to its function, and what that returns to the inputs.
 *
 * Nothing but `run` changes a gradient. */
#include "core/backward.h"

#include "core/accumulate.h"
#include "core/anomaly.h"
#include "core/buffer.h"

/* Whether node is that of a chosen input. */
static bool is_chosen(const pg_walk *walk, const pg_node *node)
{
    for (int i = 0; i < walk->n_inputs; i++)
        if (walk->inputs[i]->node == node)
            return true;
    return false;
}

/* How many edges of the node the walk follows. */
static inline int32_t edges_of(const pg_walk *walk, const pg_node *node)
{
    return PG_UNLIKELY(walk->stops) && is_chosen(walk, node) ? 0 : node->n_edges;
}

/* ---- reach ------------------------------------------------------------------------------------------------------- */

static inline void push(pg_node **list, pg_node *node)
{
    node->next = *list;
    *list = node;
}

static inline pg_node *pop(pg_node **list)
{
    pg_node *const node = *list;
    *list = node->next;
    return node;
}

static inline pg_status visit(pg_walk *walk, pg_node *node)
{
    if (node->walk == walk->id)
        return PG_OK;
    if (is_held(walk, node))
        return pg_fail(PG_BUSY,
                       "backward() reached a tensor that another backward pass is working on; wait for that one "
                       "to return");
    node->walk = walk->id;
    node->pending = 0;
    node->wanted = 0;
    walk->count++;
    push(&walk->stack, node);
    return PG_OK;
}

static pg_status reach(pg_walk *walk, int roots, pg_tensor *const *root)
{
    for (int i = 0; i < roots; i++) {
        pg_status status = visit(walk, pg_gradient_node(root[i]));
        while (walk->stack != NULL && status == PG_OK) {
            pg_node *const node = pop(&walk->stack);
            push(&walk->reached, node);
            for (int k = edges_of(walk, node) - 1; k >= 0 && status == PG_OK; k--) {
                pg_node *const input = node->edges[k].node;
                if (input == NULL || is_passed_over(walk, input))
                    continue;
                status = visit(walk, input);
                input->pending += status == PG_OK;
            }
        }
        if (status != PG_OK)
            return status;
    }
    return PG_OK;
}

static void let_go(pg_walk *walk)
{
    while (walk->stack != NULL)
        pop(&walk->stack)->walk = 0;
    while (walk->reached != NULL)
        pop(&walk->reached)->walk = 0;
}

/* ---- arrange ----------------------------------------------------------------------------------------------------- */

static void arrange(pg_walk *walk)
{
    pg_node *ready = NULL, *others = walk->reached;
    walk->reached = NULL;
    while (others != NULL) {
        pg_node *const node = pop(&others);
        if (node->pending == 0)
            push(&ready, node);
    }
    int64_t n = 0;
    while (ready != NULL) {
        pg_node *const node = pop(&ready);
        walk->order[n++] = node;
        for (int k = edges_of(walk, node) - 1; k >= 0; k--) {
            pg_node *const input = node->edges[k].node;
            if (input != NULL && !is_passed_over(walk, input) && --input->pending == 0)
                push(&ready, input);
        }
    }
}

static void mark_wanted(pg_walk *walk)
{
    for (int i = 0; i < walk->n_inputs; i++)
        if (walk->inputs[i]->node != NULL && walk->inputs[i]->node->walk == walk->id)
            walk->inputs[i]->node->wanted |= CAPTURED;
    for (int64_t i = walk->count - 1; i >= 0; i--) {
        pg_node *const node = walk->order[i];
        for (int k = edges_of(walk, node) - 1; k >= 0; k--)
            if (node->edges[k].node != NULL && node->edges[k].node->wanted)
                node->wanted |= RUNS;
        if (walk->n_inputs == 0)
            node->wanted = RUNS;
    }
}

/* ---- run --------------------------------------------------------------------------------------------------------- */

static void drop_incoming(pg_node *node)
{
    for (int k = 0; k < node->n_outputs; k++) {
        pg_tensor *const incoming = node->outputs[k].incoming;
        node->outputs[k].incoming = NULL;
        pg_tensor_release(incoming);
    }
}

static pg_status run(const pg_walk *walk)
{
    pg_status status = PG_OK;
    for (int64_t i = 0; i < walk->count; i++) {
        pg_node *const node = walk->order[i];
        if (status == PG_OK)
            status = pg_run_node(walk, node);
        drop_incoming(node);
        node->walk = 0;
    }
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* Whether a `.grad` that this walk may add to has the memory of t. */
static bool is_added_to(const pg_walk *walk, const pg_tensor *t)
{
    for (int64_t i = 0; i < walk->count; i++)
        for (int k = 0; k < walk->order[i]->n_outputs; k++) {
            const pg_tensor *const grad = walk->order[i]->outputs[k].grad;
            if (grad != NULL && grad->storage == t->storage)
                return true;
        }
    return false;
}

static pg_tensor *seed_for(const pg_walk *walk, const pg_tensor *root, pg_tensor *gradient)
{
    if (gradient == NULL) {
        if (root->numel != 1) {
            pg_fail(PG_BAD_STATE,
                    "backward: grad can be implicitly created only for scalar outputs, and this one has the "
                    "shape %s: give a gradient, or reduce it with sum() or mean()",
                    PG_SHAPE(root));
            return NULL;
        }
        return pg_tensor_full(root->dtype, root->ndim, root->shape, 1.0);
    }
    if (!pg_same_shape(root, gradient)) {
        pg_fail(PG_BAD_SHAPE,
                "backward: Mismatch in shape: the gradient has a shape of %s and the output has a shape of %s",
                PG_SHAPE(gradient), PG_SHAPE(root));
        return NULL;
    }
    /* x.backward(x.grad): the seed travels on, as itself or as a view, while x.grad is added to. */
    return is_added_to(walk, gradient) && gradient->dtype == root->dtype ? pg_tensor_copy(gradient)
                                                                         : pg_tensor_to(gradient, root->dtype);
}

static pg_status check_roots(int roots, pg_tensor *const *root)
{
    for (int i = 0; i < roots; i++) {
        if (!(root[i]->flags & PG_REQUIRES_GRAD))
            return pg_fail(PG_BAD_STATE,
                           "backward: element %d of tensors does not require grad and does not have a grad_fn", i);
        if (pg_check_history("backward", root[i]) != PG_OK)
            return PG_BAD_STATE;
        if (pg_gradient_node(root[i]) == NULL)
            return PG_NO_MEMORY;
    }
    return PG_OK;
}

/* Between the stamps and their end. */
static pg_status arrange_and_run(pg_walk *walk, int roots, pg_tensor *const *root, pg_tensor *const *gradients)
{
    size_t bytes = (size_t)walk->count * sizeof *walk->order;
    walk->order = pg_buffer_take(bytes);
    if (walk->order == NULL) {
        let_go(walk);
        return PG_NO_MEMORY;
    }
    arrange(walk);
    mark_wanted(walk);
    pg_status status = PG_OK;
    for (int i = 0; i < roots && status == PG_OK; i++) {
        pg_tensor *const seed = seed_for(walk, root[i], gradients == NULL ? NULL : gradients[i]);
        walk->seed_has_nan |= PG_UNLIKELY(walk->anomaly != PG_ANOMALY_OFF) && seed != NULL && pg_has_nan(seed);
        status = seed == NULL ? pg_failure() : pg_add_gradient(&root[i]->node->outputs[root[i]->output].incoming, seed);
    }
    if (status == PG_OK) {
        status = run(walk);
    } else {
        for (int64_t i = 0; i < walk->count; i++) {
            drop_incoming(walk->order[i]);
            walk->order[i]->walk = 0;
        }
    }
    pg_buffer_give(walk->order, bytes);
    return status;
}

static pg_status walk_graph(pg_walk *walk, int roots, pg_tensor *const *root, pg_tensor *const *gradients)
{
    pg_status status = check_roots(roots, root);
    if (status != PG_OK)
        return status;
    walk->id = pg_walk_begin();
    if (walk->id == 0)
        return pg_fail(PG_BUSY, "more than %d backward passes are under way at once", PG_LAST_WALK);
    /* What a rule differentiates within itself is told of as that rule. */
    walk->anomaly = walk->stops || pg_anomaly_is_off() ? PG_ANOMALY_OFF : (uint8_t)pg_anomaly_mode();
    /* The graph may lose its last owner while it is walked, and a hook may change a tensor in place. */
    for (int i = 0; i < roots; i++)
        pg_tensor_retain(root[i]);
    for (int i = 0; i < walk->n_inputs; i++)
        pg_tensor_retain(walk->inputs[i]);
    const int recording = pg_set_grad_enabled(walk->create_graph);
    status = reach(walk, roots, root);
    if (status == PG_OK)
        status = arrange_and_run(walk, roots, root, gradients);
    else
        let_go(walk);
    pg_set_grad_enabled(recording);
    for (int i = 0; i < roots; i++)
        pg_tensor_release(root[i]);
    for (int i = 0; i < walk->n_inputs; i++)
        pg_tensor_release(walk->inputs[i]);
    pg_walk_end(walk->id);
    return status;
}

pg_status pg_tensor_backward(pg_tensor *root, pg_tensor *gradient, int how)
{
    pg_walk walk = {.retain_graph = (how & PG_RETAIN_GRAPH) != 0, .create_graph = (how & PG_CREATE_GRAPH) != 0};
    return walk_graph(&walk, 1, &root, &gradient);
}

pg_status pg_tensor_gradients(int roots, pg_tensor *const *root, pg_tensor *const *gradients, int n,
                              pg_tensor *const *inputs, int how, pg_tensor **out)
{
    for (int i = 0; i < n; i++) {
        out[i] = NULL;
        if (!(inputs[i]->flags & PG_REQUIRES_GRAD))
            return pg_fail(PG_BAD_STATE, "grad: the differentiated tensor at index %d does not require grad", i);
    }
    if (n < 1) /* which would stand for all leaves */
        return pg_fail(PG_BAD_STATE, "grad: inputs cannot be empty");
    pg_walk walk = {.retain_graph = (how & PG_RETAIN_GRAPH) != 0,
                    .create_graph = (how & PG_CREATE_GRAPH) != 0,
                    .n_inputs = n,
                    .inputs = inputs,
                    .captured = out};
    const pg_status status = walk_graph(&walk, roots, root, gradients);
    for (int i = 0; i < n && status != PG_OK; i++) {
        pg_tensor_release(out[i]);
        out[i] = NULL;
    }
    return status;
}

pg_status pg_differentiate(pg_tensor *root, pg_tensor *gradient, int n, pg_tensor *const *inputs, pg_tensor **out)
{
    pg_walk walk = {
        .retain_graph = true, .create_graph = true, .stops = true, .n_inputs = n, .inputs = inputs, .captured = out};
    return walk_graph(&walk, 1, &root, &gradient);
}
