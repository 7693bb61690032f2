/* Backward.
 *
 * Two passes over the nodes that the root depends on, both with a stack of their own, so that depth costs nothing:
 *
 *   reach  marks every node, counts for each how many of its consumers are among them, and zeroes the gradient of
 *          those that have inputs. Its stack is threaded through those gradients, which are about to be lost anyway, so
 *          it needs no memory and cannot fail for want of it.
 *   run    starts at the root and runs the rule of a node once all its consumers have run (Kahn's order), so that
 *          each gradient is whole before it is passed on. Its stack is allocated once, before any gradient changes.
 *
 * A rule of the host may run Python code, which may start other walks meanwhile. Nodes carry the number of the walk
 * that holds them: interior ones to its end where there are such rules, leaves until their gradient is whole. A walk
 * that meets the number of another gives up, without having changed a gradient that the other one has to do with.
 */
#include "core/node.h"
#include "core/walk_id.h"

typedef struct {
    uint8_t id;
    bool hosted;      /* some rule is the host's, and so may start other walks */
    int64_t reached;  /* nodes */
    int64_t interior; /* those among them that have a rule */
} pg_walk;

/* Whether a walk holds v at this moment. */
static bool is_held(const pg_value *v)
{
    return v->walk != 0 && !pg_walk_is_lost(v->walk);
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

static void let_go_of(pg_value *v, uint8_t id, pg_value **stack)
{
    if (v->walk != id)
        return;
    v->walk = 0;
    if (v->flags & PG_HAS_INPUTS)
        pg_push(stack, v);
}

/* Lets go of what the walk still holds below v. */
static void let_go_below(pg_value *v, uint8_t id)
{
    pg_value *stack = NULL;
#define LET_GO(input) let_go_of(input, id, &stack)
    PG_EACH_INPUT(v, LET_GO);
    while (stack != NULL) {
        v = pg_pop(&stack);
        PG_EACH_INPUT(v, LET_GO);
    }
#undef LET_GO
}

static pg_status busy(void)
{
    return pg_fail(PG_BUSY, "backward() reached a value that another backward pass is working on; "
                            "wait for that one to return");
}

static pg_status too_many_uses(void)
{
    return pg_fail(PG_BAD_ARGUMENT, "backward() reached a value that is used more than 4,294,967,295 times");
}

static inline void reach_input(pg_value *v, pg_walk *walk, pg_value **stack, pg_status *status)
{
    if (v->walk == walk->id) {
        if (PG_UNLIKELY(++v->pending == 0))
            *status = too_many_uses();
    } else if (PG_LIKELY(!is_held(v))) {
        v->walk = walk->id;
        v->pending = 1;
        walk->reached++;
        walk->interior += (v->flags & PG_INTERIOR) != 0;
        walk->hosted |= (v->flags & PG_HOST_RULE) != 0;
        if (v->flags & PG_HAS_INPUTS)
            pg_push(stack, v);
    } else {
        *status = busy();
    }
}

/* First pass. What it leaves after a failure is for let_go_below(root). */
static pg_status reach(pg_walk *walk, pg_value *root)
{
    pg_value *stack = NULL;
    pg_status status = PG_OK;
#define REACH(input) reach_input(input, walk, &stack, &status)
    REACH(root);
    while (stack != NULL && status == PG_OK) {
        pg_value *v = pg_pop(&stack);
        PG_EACH_INPUT(v, REACH);
    }
#undef REACH
    return status;
}

/* One consumer of v has run; the last one makes v ready. */
static inline void settle_input(pg_value *v, pg_value **ready, int64_t *top)
{
    if (--v->pending > 0)
        return;
    if (v->flags & PG_INTERIOR)
        ready[(*top)++] = v;
    else
        v->walk = 0;
}

/* How many nodes `run` needs room for. In a hosted walk a rule may be set on what was a leaf. */
static int64_t room_for(const pg_walk *walk)
{
    return walk->hosted ? walk->reached : walk->interior;
}

/* Second pass. `nodes` holds those that are ready at its start and, in a hosted walk, those that have run at its end. */
static pg_status run(const pg_walk *walk, pg_value *root, pg_value **nodes, pg_host_rule *host_rule)
{
    int64_t top = 0, bottom = room_for(walk);
    pg_status status = PG_OK;
#define SETTLE(input) settle_input(input, nodes, &top)
    root->grad = 1.0;
    SETTLE(root);
    while (top > 0 && status == PG_OK) {
        pg_value *v = nodes[--top];
        if (PG_UNLIKELY(walk->hosted))
            nodes[--bottom] = v;
        else
            v->walk = 0;
        if (PG_LIKELY(!(v->flags & PG_HOST_RULE)))
            pg_run_rule(v);
        else
            status = host_rule(v);
        if (PG_LIKELY(status == PG_OK))
            PG_EACH_INPUT(v, SETTLE);
        else
            let_go_below(v, walk->id);
    }
#undef SETTLE
    while (top > 0) {
        nodes[--top]->walk = 0;
        let_go_below(nodes[top], walk->id);
    }
    while (bottom < room_for(walk))
        nodes[bottom++]->walk = 0;
    return status;
}

pg_status pg_walk_backward(pg_value *root, pg_host_rule *host_rule)
{
    if (is_held(root))
        return busy();
    if (!(root->flags & PG_INTERIOR)) {
        root->grad = 1.0;
        return PG_OK;
    }
    pg_walk walk = {.id = pg_walk_begin()};
    if (walk.id == 0)
        return pg_fail(PG_BUSY, "more than %d backward passes are under way at once", PG_LAST_WALK);

    size_t bytes = 0;
    pg_value **nodes = NULL;
    pg_status status = reach(&walk, root);
    if (status == PG_OK) {
        nodes = pg_alloc_array((size_t)room_for(&walk), sizeof *nodes, 0, &bytes);
        if (nodes == NULL)
            status = PG_NO_MEMORY;
    }
    if (status == PG_OK) {
        status = run(&walk, root, nodes, host_rule);
    } else {
        root->walk = 0;
        let_go_below(root, walk.id);
    }
    pg_free(nodes, bytes);
    pg_walk_end(walk.id);
    return status;
}
