/* Nodes: how a tensor was computed, so that it can be differentiated. Backward knows no op by name: a node has a
 * function, which turns the gradients of its outputs into those of its inputs.
 *
 * How an op is written, forward above backward in one file:
 *
 *     typedef struct { int64_t n; } square_params;                       // numbers that backward needs, if any
 *
 *     static pg_status square_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
 *     {
 *         if (pg_wants(node, 0))                                          // is this input's gradient asked for?
 *             out[0] = times_two(grads[0], node->saved[0].tensor);        // a new reference
 *         return pg_done(node, out);                                      // PG_OK, or the failure behind a NULL
 *     }
 *     static const pg_function square_function = {.name = "Square", .backward = square_backward};
 *
 *     pg_tensor *pg_tensor_square(pg_tensor *a)
 *     {
 *         if (a == NULL) return NULL;
 *         pg_tensor *out = ...;                                           // computed without history
 *         if (out == NULL || !pg_records(1, &a)) return out;
 *         pg_node *node = pg_node_new(&square_function, 1, &a, 1, 1, sizeof(square_params)); // NULL is fine below
 *         pg_save(node, 0, a);                                            // what backward reads
 *         return pg_attach(out, node);                                    // gives up both when either is NULL
 *     }
 *
 * A rule may be written with the public ops (pg_tensor_matmul(...) of saved tensors): recording is off while it runs,
 * or on when the gradient itself shall be differentiated. Temporaries of such expressions: pg_scope below.
 */
#ifndef PG_AUTOGRAD_H
#define PG_AUTOGRAD_H

#include "core/tensor.h"

/* dL/d output k comes in grads[k] (NULL where nothing reached an output; never for all of them). out[i] is to become a
 * new reference to dL/d input i, of that input's shape and dtype, or stay NULL where it is not wanted or is zero. */
typedef pg_status pg_rule(pg_node *node, pg_tensor *const *grads, pg_tensor **out);

typedef struct {
    const char *name; /* "Add": grad_fn.name() is "AddBackward0", */
    bool is_whole;    /* but for this: it is the name itself */
    pg_rule *backward;
    const char *const *names;                    /* where one function serves many ops: names[node->op] instead */
    bool is_view;                                /* the output shares the memory of the only input */
    void (*bury)(pg_node *node);                 /* gives up what params hold; NULL where they are plain numbers */
    const char *(*name_of)(const pg_node *node); /* of a function of the host's: "Cube", which is "CubeBackward" */
} pg_function;

typedef struct {
    pg_node *node; /* NULL: no gradient is wanted */
    uint32_t output;
} pg_edge;

typedef struct {
    pg_tensor *tensor;
    uint32_t version; /* of the storage when it was saved */
    uint32_t digest;  /* of the elements, where others can write to them, or 0: see core/exposed.h */
} pg_saved;

typedef struct {
    pg_tensor *incoming; /* during a walk: what its consumers have sent so far */
    pg_tensor *grad;     /* what `.grad` shows: of a leaf, or where it is retained */
    bool retains;
    void *hooks;      /* the host's: see pg_host */
    void *post_hooks; /* of a leaf: after its gradient has grown */
} pg_output;

typedef struct pg_note pg_note;

struct pg_node {
    int32_t refs;
    uint8_t walk;   /* the number of the walk that holds it, or 0 */
    bool freed;     /* the saved tensors are gone */
    bool broken;    /* there was no memory to save one */
    uint8_t wanted; /* during a walk: see backward.c */
    uint8_t op;     /* which op, where one function serves many */
    uint32_t pending;
    int32_t n_edges;
    uint16_t n_saved, n_outputs;
    size_t bytes; /* of the whole block */
    const pg_function *function;
    pg_node *next; /* on the list of a walk, or of those about to be freed */
    pg_note *note; /* of its forward, where anomalies were detected: see anomaly.h */
    pg_saved *saved;
    pg_output *outputs;
    void *params;
    pg_edge edges[]; /* [n_edges] */
};

/* ---- recording --------------------------------------------------------------------------------------------------- */

/* Whether an op of these inputs is to be recorded. Inputs may be NULL. */
bool pg_records(int n, pg_tensor *const *inputs);
/* A node with an edge to each of inputs[n] (NULL: none), room for `saved` tensors, `outputs` outputs and `params`
 * zeroed bytes. NULL with the message set when there is no memory. */
pg_node *pg_node_new(const pg_function *function, int n, pg_tensor *const *inputs, int saved, int outputs,
                     size_t params);
/* Remembers t, an input or an output, for backward, and its version. Nothing happens when node or t is NULL. An
 * output, to be saved before pg_attach, is saved without its history, which would be a cycle. */
void pg_save(pg_node *node, int i, pg_tensor *t);
/* Makes node the history of out, its first output, and gives up the reference to node. Gives up both, and returns
 * NULL, when either is NULL. */
pg_tensor *pg_attach(pg_tensor *out, pg_node *node);
/* The same for all the node's outputs, of which some may stay without (NULL entries, integers); returns false, and gives
 * up and clears them all, when node is NULL. */
bool pg_attach_all(pg_node *node, int n, pg_tensor **outs);

/* ---- in rules ---------------------------------------------------------------------------------------------------- */

static inline bool pg_wants(const pg_node *node, int i)
{
    return node->edges[i].node != NULL;
}

/* PG_OK when every wanted gradient is there, else the failure that was recorded. Only for rules that leave no wanted
 * gradient NULL on purpose. */
pg_status pg_done(const pg_node *node, pg_tensor *const *out);

/* Sums g over what broadcasting had added to or stretched in a shape; g itself (a new reference) when nothing. No
 * history unless recording. */
pg_tensor *pg_sum_to_shape(pg_tensor *g, int ndim, const int64_t *shape);

/* Temporaries of an expression, given up together:
 *     pg_scope scope = {0};
 *     out[0] = pg_tensor_matmul(g, pg_temp(&scope, pg_tensor_transpose(b, -1, -2)));
 *     pg_scope_end(&scope); */
enum { PG_MOST_TEMPS = 40 };
typedef struct {
    int n;
    pg_tensor *temps[PG_MOST_TEMPS];
} pg_scope;

static inline pg_tensor *pg_temp(pg_scope *scope, pg_tensor *t)
{
    if (t == NULL)
        return NULL;
    if (PG_UNLIKELY(scope->n == PG_MOST_TEMPS)) {
        pg_fail(PG_BAD_STATE, "an expression of more than %d temporaries", PG_MOST_TEMPS);
        pg_tensor_release(t);
        return NULL;
    }
    return scope->temps[scope->n++] = t;
}

static inline void pg_scope_end(pg_scope *scope)
{
    while (scope->n > 0)
        pg_tensor_release(scope->temps[--scope->n]);
}

/* For rules that may be differentiated themselves: whether this one is to be, now. */
static inline bool pg_is_recording(void)
{
    return pg_grad_enabled();
}

/* The saved output i of the node with its history, as output `output`: a new reference; NULL on failure. */
pg_tensor *pg_saved_output(pg_node *node, int i, int output);
/* t again, as the output of a node of its own: what pg_differentiate takes for an input. */
pg_tensor *pg_tensor_alias(pg_tensor *t);
/* out[n]: the derivatives of root, weighted by `gradient`, with respect to inputs[n], recorded; NULL where root does not
 * depend on one. What inputs depend on is not looked at, so that a rule can differentiate what it computed from aliases of
 * its inputs while their graph is being walked. */
pg_status pg_differentiate(pg_tensor *root, pg_tensor *gradient, int n, pg_tensor *const *inputs, pg_tensor **out);

/* Where the user's code stands. */
typedef struct {
    void *file, *function; /* the host's; NULL where it does not know */
    int line;
} pg_place;

/* What the core calls its host for. */
typedef struct {
    /* Makes `host` stand for t, whose reference it takes over; what it stood for before becomes the caller's. */
    pg_tensor *(*repoint)(void *host, pg_tensor *t);
    /* For anomalies: a place is found without running code of the user's, and forgotten with the node. */
    void (*find_place)(pg_place *place);
    void (*forget_place)(pg_place *place);
    /* Adds to the failure where the forward of nodes[n] ran, and returns its status from then on. */
    pg_status (*explain)(pg_status status, int n, const pg_node *const *nodes);
    /* The rest concerns the hooks that it has hung on outputs. */
    /* May put another tensor, of the same shape and dtype, in the place of *grad, whose reference it then gives up. */
    pg_status (*run)(void *hooks, pg_tensor **grad);
    pg_status (*run_post)(void *hooks);
    void (*drop)(void *hooks);
} pg_host_functions;
extern pg_host_functions pg_host;

/* ---- life and names ---------------------------------------------------------------------------------------------- */

pg_node *pg_node_retain(pg_node *node);
void pg_node_release(pg_node *node);
/* "Add" */
const char *pg_node_name(const pg_node *node);
/* "Backward0" */
const char *pg_node_suffix(const pg_node *node);
/* The node in which the gradient of t arrives: its history, or a leaf's own, made now. A borrowed reference; NULL for
 * want of memory. */
pg_node *pg_gradient_node(pg_tensor *t);
bool pg_is_leaf(const pg_tensor *t);
/* The function of a leaf's own node. */
extern const pg_function pg_accumulate_function;

/* ---- changes in place -------------------------------------------------------------------------------------------- */

/* PG_BAD_STATE, naming `op`, for a handle from before its memory was changed in place as part of a graph, through
 * another handle, when that could not bring it up to date: what t holds is then not what its history says. */
pg_status pg_check_history(const char *op, const pg_tensor *t);
/* Whether two elements of t may share memory: exact for strides that nest, as those of views do; true for others, which
 * come with numpy's arrays. */
bool pg_overlaps_itself(const pg_tensor *t);
/* Whether t may be changed in place now: PG_BAD_STATE while recording for a leaf that requires a gradient, a view of
 * one, an untracked view and an outdated history; and always for elements that share memory. `op` is named in the message. */
pg_status pg_check_in_place(const char *op, const pg_tensor *t);
static inline void pg_bump(pg_tensor *t)
{
    t->storage->version++;
}

#endif
