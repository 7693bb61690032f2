/* What the halves of a walk over tensors share: backward.c arranges it, backward_run.c runs its nodes. */
#ifndef PG_BACKWARD_H
#define PG_BACKWARD_H

#include "core/autograd.h"
#include "core/walk_id.h"

enum { CAPTURED = 1, RUNS = 2 }; /* bits of node->wanted */

typedef struct {
    uint8_t id;
    bool retain_graph;
    bool create_graph;
    bool seed_has_nan;
    uint8_t anomaly; /* PG_ANOMALY_OFF, or what to look for */
    bool stops;      /* at the chosen inputs: what they depend on is not looked at */
    int64_t count;
    pg_node *stack;
    pg_node *reached; /* all others that are stamped, until they have an order */
    pg_node **order;  /* [count] */
    int n_inputs;     /* of chosen inputs; 0 for all leaves */
    pg_tensor *const *inputs;
    pg_tensor **captured; /* [n_inputs] */
} pg_walk;

/* Whether another walk, in the middle of which this one was started, holds the node. */
static inline bool is_held(const pg_walk *walk, const pg_node *node)
{
    return PG_UNLIKELY(node->walk != 0 && node->walk != walk->id && !pg_walk_is_lost(node->walk));
}

/* A leaf's node that is held takes no part: what arrives at the leaf is added to its gradient at once. */
static inline bool is_passed_over(const pg_walk *walk, const pg_node *node)
{
    return is_held(walk, node) && node->function == &pg_accumulate_function && walk->n_inputs == 0;
}

/* Lets the hooks of a node see the gradients that have arrived, adds them to what `.grad` shows, and runs its function. */
pg_status pg_run_node(const pg_walk *walk, pg_node *node);

#endif
