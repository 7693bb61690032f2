#include "core/anomaly.h"

#include "core/buffer.h"
#include "core/iterate.h"

#include <stdarg.h>
#include <stdio.h>

int pg_anomaly_threads;
static _Thread_local int mode;
static _Thread_local pg_note *differentiated; /* of the node whose rule is being recorded */

int pg_anomaly_mode(void)
{
    return mode;
}

int pg_set_anomaly_mode(int to)
{
    const int before = mode;
    mode = to;
    __atomic_add_fetch(&pg_anomaly_threads, (to != PG_ANOMALY_OFF) - (before != PG_ANOMALY_OFF), __ATOMIC_RELAXED);
    return before;
}

/* ---- nan --------------------------------------------------------------------------------------------------------- */

#define LOOK_FOR_NAN(name, type) \
    static void name(char *const *p, const int64_t *strides, int64_t n, const void *context) \
    { \
        const int64_t stride = strides[0] / (int64_t)sizeof(type); \
        const type *const x = (const type *)p[0]; \
        bool found = false; \
        if (stride == 1) \
            for (int64_t i = 0; i < n; i++) \
                found |= x[i] != x[i]; \
        else \
            for (int64_t i = 0; i < n; i++) \
                found |= x[i * stride] != x[i * stride]; \
        **(bool *const *)context |= found; \
    }
LOOK_FOR_NAN(look_f32, float)
LOOK_FOR_NAN(look_f64, double)

bool pg_has_nan(const pg_tensor *t)
{
    if (!pg_is_float(t->dtype) || t->numel == 0)
        return false;
    int64_t shape[PG_MAX_DIMS]; /* what is stretched is looked at once */
    for (int i = 0; i < t->ndim; i++)
        shape[i] = t->strides[i] == 0 ? 1 : t->shape[i];
    bool found = false, *const context = &found;
    pg_iter iter;
    pg_iter_start(&iter, t->ndim, shape, 1, &t);
    pg_iter_run(&iter, t->dtype == PG_FLOAT32 ? look_f32 : look_f64, &context);
    return found;
}

/* ---- notes ------------------------------------------------------------------------------------------------------- */

/* Adds "float32 [3]" to a list; "..." where there is no room for it. */
static void list(char text[PG_NOTE_TEXT], const pg_tensor *t)
{
    static const char MORE[] = "...";
    const size_t used = strlen(text), room = PG_NOTE_TEXT - used - sizeof MORE; /* MORE fits behind what fits */
    if (used >= sizeof MORE - 1 && strcmp(text + used - (sizeof MORE - 1), MORE) == 0)
        return;
    char *const end = text + used;
    const int n = snprintf(end, room, "%s%s %s", used > 0 ? ", " : "", pg_dtype_name[t->dtype], PG_SHAPE(t));
    if (n < 0 || (size_t)n >= room)
        memcpy(end, MORE, sizeof MORE);
}

bool pg_note_forward(pg_node *node, int n, pg_tensor *const *inputs)
{
    static uint64_t notes;
    if (mode == PG_ANOMALY_OFF)
        return true;
    pg_note *const note = node->note = pg_buffer_take(sizeof *note);
    if (note == NULL)
        return false;
    *note = (pg_note){.refs = 1,
                      .is_checked = mode == PG_ANOMALY_NAN,
                      .order = __atomic_add_fetch(&notes, 1, __ATOMIC_RELAXED),
                      .parent = differentiated};
    if (note->parent != NULL)
        note->parent->refs++;
    if (pg_host.find_place != NULL)
        pg_host.find_place(&note->place);
    for (int i = 0; i < n; i++) {
        if (inputs[i] == NULL)
            continue;
        list(note->took, inputs[i]);
        note->took_nan |= note->is_checked && pg_has_nan(inputs[i]);
    }
    return true;
}

void pg_note_output(pg_note *note, const pg_tensor *out)
{
    list(note->gave, out);
    note->gave_nan |= note->is_checked && pg_has_nan(out);
}

void pg_note_release(pg_note *note)
{
    while (note != NULL && --note->refs == 0) {
        pg_note *const parent = note->parent;
        if (pg_host.forget_place != NULL)
            pg_host.forget_place(&note->place);
        pg_buffer_give(note, sizeof *note);
        note = parent;
    }
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

typedef struct {
    size_t used;
    char at[896];
} sentences;

__attribute__((format(printf, 2, 3))) static void say(sentences *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t room = sizeof text->at - text->used;
    const int n = vsnprintf(text->at + text->used, room, format, arguments);
    va_end(arguments);
    if (n > 0)
        text->used += (size_t)n < room ? (size_t)n : room - 1;
}

/* Of the nodes of the walk, the first in forward order whose output was the first to hold nan; where there is none, the
 * first that was given nan; or NULL. */
static const pg_node *first_with_nan(const pg_walk *walk)
{
    const pg_node *first = NULL;
    for (int64_t i = 0; i < walk->count; i++) {
        const pg_note *const note = walk->order[i]->note, *const best = first == NULL ? NULL : first->note;
        if (note == NULL || !(note->took_nan || note->gave_nan))
            continue;
        if (best == NULL || note->took_nan < best->took_nan ||
            (note->took_nan == best->took_nan && note->order < best->order))
            first = walk->order[i];
    }
    return first;
}

static void say_what_it_was_given(sentences *text, const pg_walk *walk, const pg_node *node, pg_tensor *const *grads)
{
    char given[PG_NOTE_TEXT] = "", saved[PG_NOTE_TEXT] = "";
    bool is_nan = false;
    for (int k = 0; k < node->n_outputs; k++)
        if (grads[k] != NULL) {
            list(given, grads[k]);
            is_nan |= pg_has_nan(grads[k]);
        }
    say(text, "\nIt was given a gradient of %s", given);
    if (is_nan)
        say(text, ", which holds nan already: %s",
            walk->seed_has_nan ? "the gradient that backward() or grad() was given does"
                               : "a hook returned it, or infinite gradients of both signs were added");
    if (node->note != NULL) {
        say(text, "; %s took %s and gave %s.", pg_node_name(node), node->note->took, node->note->gave);
        return;
    }
    for (int i = 0; i < node->n_saved; i++)
        if (node->saved[i].tensor != NULL)
            list(saved, node->saved[i].tensor);
    say(text, saved[0] != '\0' ? "; it had saved %s." : ".", saved);
}

static void say_where_nan_began(sentences *text, const pg_node *node, const pg_node *first)
{
    if (first == NULL)
        return;
    const char *const name = first == node ? "it" : pg_node_name(first);
    if (first->note->took_nan)
        say(text, "\nIn the forward pass nan came in with what %s took", name);
    else
        say(text, "\nIn the forward pass nan first appeared in what %s gave", name);
    if (first == node)
        say(text, ".");
    else
        say(text, ": it took %s and gave %s.", first->note->took, first->note->gave);
}

/* The failure, with what the host knows of the forward of nodes[n]. */
static pg_status explained(pg_status status, int n, const pg_node *const *nodes)
{
    return pg_host.explain == NULL ? status : pg_host.explain(status, n, nodes);
}

static pg_status returned_nan(const pg_walk *walk, const pg_node *node, pg_tensor *const *grads, int i)
{
    const pg_node *const first = first_with_nan(walk);
    sentences text = {0};
    say(&text, "Function '%s%s' returned nan values in its %dth output.", pg_node_name(node), pg_node_suffix(node), i);
    say_what_it_was_given(&text, walk, node, grads);
    say_where_nan_began(&text, node, first);
    const int n = first == NULL || first == node ? 1 : 2;
    return explained(pg_fail(PG_BAD_STATE, "%s", text.at), n, (const pg_node *[]){node, first});
}

pg_note *pg_watch(const pg_walk *walk, const pg_node *node)
{
    pg_note *const outer = differentiated;
    if (walk->create_graph)
        differentiated = node->note;
    return outer;
}

pg_status pg_watched(const pg_walk *walk, const pg_node *node, pg_tensor *const *grads, pg_tensor *const *outs,
                     pg_status status, pg_note *outer)
{
    differentiated = outer;
    if (status != PG_OK)
        return explained(status, 1, (const pg_node *[]){node});
    for (int i = 0; i < node->n_edges && walk->anomaly == PG_ANOMALY_NAN; i++)
        if (outs[i] != NULL && pg_wants(node, i) && pg_has_nan(outs[i]))
            return returned_nan(walk, node, grads, i);
    return PG_OK;
}
