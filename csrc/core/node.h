/* The node of the scalar graph.
 *
 * A pg_value holds its number, its gradient, its op and its inputs, and no reference count: the host that embeds it
 * (a Python object, or the C library's own pg_cell) counts references, and its pg_value is never moved or copied. So
 * nothing has to be reset, and a graph dies with the last reference to it.
 *
 * Two operand slots serve every op. A slot holds an input, a number that takes part in the op but is no value, or a
 * block: a shared array of inputs or of numbers, for ops of n inputs. The flags say which, so that the walks over a
 * graph know no op by name.
 */
#ifndef PG_NODE_H
#define PG_NODE_H

#include "core/alloc.h"
#include "core/status.h"

#include <stdbool.h>
#include <string.h>

typedef struct pg_block pg_block;

typedef union {
    pg_value *input;
    pg_block *block;
    double number;
} pg_input;

/* pg_value.flags */
enum {
    PG_A_INPUT = 1 << 0,
    PG_B_INPUT = 1 << 1,
    PG_A_BLOCK = 1 << 2,
    PG_B_BLOCK = 1 << 3,
    PG_HOST_RULE = 1 << 4, /* the host runs this node's rule */
    PG_HIDDEN = 1 << 5,    /* a leaf that stands for a number in a block of values */
    PG_A_NUMBER = 1 << 6,  /* for display: the slot holds the number that the user wrote */
    PG_B_NUMBER = 1 << 7,
    PG_HOST_FLAG = 1 << 8, /* this one and the ones above are the host's */

    PG_HAS_BLOCK = PG_A_BLOCK | PG_B_BLOCK,
    PG_HAS_INPUTS = PG_A_INPUT | PG_B_INPUT | PG_HAS_BLOCK,
    PG_INTERIOR = PG_HAS_INPUTS | PG_HOST_RULE /* has a rule to run */
};

struct pg_value {
    double data, grad;
    pg_input a, b;
    uint8_t op;   /* a row of ops.def, a code of ops/nary.h, or PG_LEAF */
    uint8_t walk; /* the live walk that holds this node, or 0 */
    uint16_t flags;
    uint32_t pending; /* while a walk holds it: consumers whose rules have not run yet */
};

enum { PG_LEAF = 255 };

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

struct pg_block {
    int64_t refs;
    int64_t n;
    double parameter; /* for a fused op: the second operand of its activation, where that has one */
    bool numbers;     /* n doubles; else n inputs, each of which the block keeps alive */
};

/* With one reference, its contents undefined; NULL when there is no memory. */
pg_block *pg_block_new(int64_t n, bool numbers);
/* Of the memory only: the inputs are the host's to release. */
void pg_block_free(pg_block *block);

static inline pg_value **pg_block_inputs(pg_block *block)
{
    return (pg_value **)(block + 1);
}

static inline double *pg_block_numbers(pg_block *block)
{
    return (double *)(block + 1);
}

/* ---- making nodes ------------------------------------------------------------------------------------------------ */

static inline void pg_set_leaf(pg_value *v, double data)
{
    *v = (pg_value){.data = data, .op = PG_LEAF};
}

static inline void pg_set_unary(pg_value *v, uint8_t op, double data, pg_value *a)
{
    *v = (pg_value){.data = data, .a.input = a, .op = op, .flags = PG_A_INPUT};
}

static inline void pg_set_binary(pg_value *v, uint8_t op, double data, pg_value *a, pg_value *b)
{
    *v = (pg_value){.data = data, .a.input = a, .b.input = b, .op = op, .flags = PG_A_INPUT | PG_B_INPUT};
}

static inline void pg_set_binary_number(pg_value *v, uint8_t op, double data, pg_value *a, double b)
{
    *v = (pg_value){.data = data, .a.input = a, .b.number = b, .op = op, .flags = PG_A_INPUT | PG_B_NUMBER};
}

static inline void pg_set_number_binary(pg_value *v, uint8_t op, double data, double a, pg_value *b)
{
    *v = (pg_value){.data = data, .a.number = a, .b.input = b, .op = op, .flags = PG_A_NUMBER | PG_B_INPUT};
}

/* ---- stacks of nodes, threaded through their gradients ----------------------------------------------------------- */

static inline void pg_push(pg_value **stack, pg_value *v)
{
    memcpy(&v->grad, stack, sizeof *stack);
    *stack = v;
}

/* The gradient of what comes off is 0. */
static inline pg_value *pg_pop(pg_value **stack)
{
    pg_value *v = *stack;
    memcpy(stack, &v->grad, sizeof *stack);
    v->grad = 0.0;
    return v;
}

/* ---- the walks --------------------------------------------------------------------------------------------------- */

/* Calls VISIT(input) for each input of v, an input used twice twice. */
#define PG_EACH_INPUT(v, VISIT) \
    do { \
        if ((v)->flags & PG_A_INPUT) \
            VISIT((v)->a.input); \
        if ((v)->flags & PG_B_INPUT) \
            VISIT((v)->b.input); \
        if (PG_UNLIKELY((v)->flags & PG_HAS_BLOCK)) { \
            if ((v)->flags & PG_A_BLOCK) \
                PG_EACH_IN_BLOCK((v)->a.block, VISIT); \
            if ((v)->flags & PG_B_BLOCK) \
                PG_EACH_IN_BLOCK((v)->b.block, VISIT); \
        } \
    } while (0)

#define PG_EACH_IN_BLOCK(block_, VISIT) \
    do { \
        pg_value **inputs_ = pg_block_inputs(block_); \
        for (int64_t i_ = 0, n_ = (block_)->numbers ? 0 : (block_)->n; i_ < n_; i_++) \
            VISIT(inputs_[i_]); \
    } while (0)

/* Runs the rule of a node that has PG_HOST_RULE; PG_HOST_ERROR ends the walk. It may build, free and walk other
 * graphs meanwhile. */
typedef pg_status pg_host_rule(pg_value *v);

/* Backward from root, as described at pg_backward. The caller keeps root alive. */
pg_status pg_walk_backward(pg_value *root, pg_host_rule *host_rule);

/* Adds what node v, as it stands, contributes to the gradients of its inputs. v is not a PG_HOST_RULE node. */
void pg_run_rule(pg_value *v);

#endif
