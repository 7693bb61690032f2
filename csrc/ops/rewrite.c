/* Writing in place and what it means for the graph.
 *
 * Let v be changed, and w share memory with it. From then on
 *
 *     w[i] = v[j] where these are one element in memory, w_before[i] elsewhere
 *
 * which is linear, so that the gradient needs only the two geometries. Nobody has to know which of them is a view of
 * the other, or of what. */
#include "ops/rewrite.h"

#include "core/anomaly.h"
#include "core/iterate.h"
#include "ops/elementwise.h"
#include "ops/select.h"

/* ---- elements in memory ------------------------------------------------------------------------------------------ */

typedef struct {
    int ndim;
    int64_t shape[PG_MAX_DIMS], strides[PG_MAX_DIMS];
    int64_t first, low, high; /* in elements from the start of the storage: the first element, and the outermost */
} geometry;

static geometry geometry_of(const pg_tensor *t)
{
    const int64_t first = (t->data - t->storage->data) / pg_itemsize[t->dtype];
    geometry where = {.ndim = t->ndim, .first = first, .low = first, .high = first};
    for (int i = 0; i < t->ndim; i++) {
        const int64_t reach = (t->shape[i] - 1) * t->strides[i];
        where.shape[i] = t->shape[i];
        where.strides[i] = t->strides[i];
        *(reach < 0 ? &where.low : &where.high) += reach;
    }
    return where;
}

/* The largest number that all steps within a geometry, and `step`, are multiples of. */
static int64_t common_step(const geometry *at, int64_t step)
{
    for (int i = 0; i < at->ndim; i++)
        for (int64_t rest = at->shape[i] > 1 ? at->strides[i] : 0; rest != 0;) {
            const int64_t last = step;
            step = rest;
            rest = last % rest;
        }
    return step;
}

/* Whether they may have an element in common: false is certain. */
static bool may_meet(const geometry *a, const geometry *b)
{
    if (a->high < b->low || a->low > b->high)
        return false;
    const int64_t step = common_step(a, common_step(b, 0));
    return step == 0 || (a->first - b->first) % step == 0;
}

/* ---- from one geometry to another -------------------------------------------------------------------------------- */

typedef struct {
    geometry from, to;
} transfer_params;

static pg_tensor *transfer(pg_tensor *t, const geometry *from, const geometry *to);

static pg_status transfer_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const transfer_params *const params = node->params;
    out[0] = transfer(grads[0], &params->to, &params->from);
    return pg_done(node, out);
}

static const pg_function transfer_function = {.name = "Transfer", .backward = transfer_backward};

#define ADD_AT(name, type) \
    static void name(char *const *p, const int64_t *strides, int64_t n, const void *context) \
    { \
        (void)context; \
        for (int64_t i = 0; i < n; i++) \
            *(type *)(p[0] + i * strides[0]) += *(const type *)(p[1] + i * strides[1]); \
    }
ADD_AT(add_at_float, float)
ADD_AT(add_at_double, double)
#undef ADD_AT

/* Seen as `where` in a memory whose first element is at `low`. */
static pg_tensor *seen_as(pg_tensor *memory, const geometry *where, int64_t low)
{
    return pg_tensor_view(memory, where->ndim, where->shape, where->strides, where->first - low);
}

/* out[i] is the sum of all t[j], t having the geometry `from`, whose place in memory is that of i in `to`. */
static pg_tensor *transfer(pg_tensor *t, const geometry *from, const geometry *to)
{
    if (t == NULL)
        return NULL;
    const int64_t low = from->low < to->low ? from->low : to->low, high = from->high > to->high ? from->high : to->high;
    pg_scope scope = {0};
    pg_tensor *const memory = pg_temp(&scope, pg_tensor_zeros(t->dtype, 1, (int64_t[]){high - low + 1}));
    pg_tensor *const source = memory == NULL ? NULL : pg_temp(&scope, seen_as(memory, from, low));
    pg_tensor *const target = source == NULL ? NULL : pg_temp(&scope, seen_as(memory, to, low));
    pg_tensor *out = NULL;
    if (target != NULL) {
        pg_iter iter;
        pg_iter_start(&iter, t->ndim, t->shape, 2, (const pg_tensor *[]){source, t});
        pg_iter_run(&iter, t->dtype == PG_FLOAT32 ? add_at_float : add_at_double, NULL);
        out = pg_tensor_copy(target);
    }
    pg_scope_end(&scope);
    if (out == NULL || !pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&transfer_function, 1, &t, 0, 1, sizeof(transfer_params));
    if (node != NULL)
        *(transfer_params *)node->params = (transfer_params){*from, *to};
    return pg_attach(out, node);
}

/* ---- what shares memory with a change ---------------------------------------------------------------------------- */

typedef struct {
    geometry whole, part; /* of w and of v */
} overlay_params;

static pg_status overlay_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const overlay_params *const params = node->params;
    pg_tensor *const g = grads[0];
    pg_scope scope = {0};
    if (pg_wants(node, 0)) {
        pg_tensor *const ones = pg_temp(&scope, pg_tensor_full(g->dtype, params->part.ndim, params->part.shape, 1.0));
        pg_tensor *const count = pg_temp(&scope, transfer(ones, &params->part, &params->whole));
        pg_tensor *const hidden = count == NULL ? NULL : pg_temp(&scope, pg_tensor_cast(count, PG_BOOL));
        if (hidden != NULL)
            out[0] = pg_where(hidden, (pg_operand[]){PG_NUMBER_OPERAND(0), PG_TENSOR_OPERAND(g)});
    }
    if (pg_wants(node, 1))
        out[1] = transfer(g, &params->whole, &params->part);
    pg_scope_end(&scope);
    return pg_done(node, out);
}

static const pg_function slices_function = {.name = "CopySlices", .is_whole = true, .backward = overlay_backward};
static const pg_function inside_function = {.name = "AsStrided", .backward = overlay_backward};

/* What w is after v, a member of its family, was overwritten with `values`. Nothing of what it was is left where v lies
 * around it without gaps. */
static pg_tensor *overlaid(pg_tensor *w, const geometry *at, const pg_tensor *v, const geometry *changed,
                           pg_tensor *values)
{
    const bool is_covered = pg_is_contiguous(v) && at->low >= changed->low && at->high <= changed->high;
    pg_tensor *const inputs[] = {is_covered ? NULL : w, values};
    pg_node *const node =
        pg_node_new(is_covered ? &inside_function : &slices_function, 2, inputs, 0, 1, sizeof(overlay_params));
    if (node == NULL)
        return NULL;
    *(overlay_params *)node->params = (overlay_params){*at, *changed};
    pg_tensor *const after = pg_attach(pg_tensor_another(w), node);
    if (after != NULL && PG_UNLIKELY(node->note != NULL))
        node->note->gave_nan = false; /* what was seen is what the change overwrites, and it adds nothing of its own */
    return after;
}

/* Of handles that are to be, through next_hosted, each with the host that it is for. */
static void enlist(pg_tensor **list, pg_tensor *t, void *host)
{
    t->host = host;
    t->next_hosted = *list;
    *list = t;
}

/* The members of v's family that share memory with it, as they will be. */
static pg_status follow(pg_tensor *v, pg_tensor *values, pg_tensor **list)
{
    const geometry changed = geometry_of(v);
    for (pg_tensor *w = v->storage->hosted; w != NULL; w = w->next_hosted) {
        if (w == v || w->family != v->family || w->flags & PG_UNTRACKED)
            continue;
        const geometry at = geometry_of(w);
        if (w->numel == 0 || !may_meet(&at, &changed))
            continue;
        if (w->flags & PG_REQUIRES_GRAD && pg_is_leaf(w))
            return pg_fail(PG_BAD_STATE,
                           "%s: a view of a leaf Variable that requires grad is being used in an in-place operation: "
                           "change it under no_grad()",
                           pg_node_name(values->node));
        pg_tensor *const after = overlaid(w, &at, v, &changed, values);
        if (after == NULL)
            return pg_failure();
        enlist(list, after, w->host);
    }
    return PG_OK;
}

static void forget(pg_tensor *list)
{
    while (list != NULL) {
        pg_tensor *const t = list;
        list = t->next_hosted;
        t->host = NULL;
        pg_tensor_release(t);
    }
}

/* The gradient that shows is that of what people see, which is another handle now. */
static void move_grad(const pg_tensor *from, const pg_tensor *to)
{
    if (from->node == NULL || from->node == to->node)
        return;
    pg_output *const old = &from->node->outputs[from->output], *const new = &to->node->outputs[to->output];
    if (new->grad == NULL) {
        new->grad = old->grad;
        old->grad = NULL;
    }
    if (!pg_is_leaf(from)) {
        new->retains = old->retains;
        old->retains = false;
    }
}

/* Hands the new members to their hosts. */
static void renew(pg_storage *storage, uint64_t family, pg_tensor *list)
{
    pg_tensor *old = NULL;
    while (list != NULL) {
        pg_tensor *const t = list;
        void *const host = t->host;
        list = t->next_hosted;
        t->host = NULL;
        pg_tensor *const before = pg_host.repoint(host, t);
        move_grad(before, t);
        /* What others hold does not die here, and may get a host again in what follows. */
        if (before->refs > 1)
            pg_tensor_release(before);
        else
            enlist(&old, before, NULL);
    }
    const uint32_t outdated = storage->rewrites++;
    for (pg_tensor *w = storage->hosted; w != NULL; w = w->next_hosted)
        if (w->rewrites == outdated && (!(w->flags & PG_UNTRACKED) || w->family != family))
            w->rewrites = storage->rewrites;
    /* Last, because hooks and other things of the host's may go with them: any code may run. */
    forget(old);
}

/* ---- the change -------------------------------------------------------------------------------------------------- */

static pg_tensor *rewrite_with_history(pg_tensor *self, pg_tensor *values)
{
    pg_tensor *followers = NULL;
    pg_tensor *const out = pg_tensor_another(self);
    if (out == NULL || (self->numel > 0 && follow(self, values, &followers) != PG_OK) ||
        pg_tensor_assign(self, values) != PG_OK) {
        forget(followers);
        pg_tensor_release(out);
        return NULL;
    }
    pg_bump(self);
    out->node = pg_node_retain(values->node);
    out->output = values->output;
    out->flags |= PG_REQUIRES_GRAD;
    out->rewrites = self->storage->rewrites + 1;
    if (self->host != NULL)
        enlist(&followers, pg_tensor_retain(out), self->host);
    renew(self->storage, self->family, followers);
    return out;
}

pg_tensor *pg_rewrite(pg_tensor *self, pg_tensor *values)
{
    pg_tensor *const last = pg_tensor_to(values, self->dtype);
    pg_tensor *out = NULL;
    if (last == NULL)
        return NULL;
    if (last->flags & PG_REQUIRES_GRAD) {
        out = rewrite_with_history(self, last);
    } else if (pg_tensor_assign(self, last) == PG_OK) {
        pg_bump(self);
        out = pg_tensor_retain(self);
    }
    pg_tensor_release(last);
    return out;
}

pg_tensor *pg_copy_with_history(pg_tensor *t)
{
    pg_tensor *const copy = pg_tensor_copy(t);
    if (copy != NULL) {
        copy->node = pg_node_retain(t->node);
        copy->output = t->output;
        copy->flags |= t->flags & PG_REQUIRES_GRAD;
    }
    return copy;
}
