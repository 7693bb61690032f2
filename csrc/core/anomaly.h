/* Where a nan came from. While a thread detects anomalies, each node keeps a note of its forward, and backward stops at
 * the first function that returns nan, with a message from the notes. Off, it costs a branch for each node that is made
 * and each that is run. */
#ifndef PG_ANOMALY_H
#define PG_ANOMALY_H

#include "core/backward.h"

enum { PG_NOTE_TEXT = 96 };

struct pg_note {
    int32_t refs;
    bool is_checked, took_nan, gave_nan;
    uint64_t order; /* of the forward among all that were noted */
    pg_place place;
    pg_note *parent;                             /* of the node whose differentiation this one was part of */
    char took[PG_NOTE_TEXT], gave[PG_NOTE_TEXT]; /* "float32 [3], float32 [2, 3]" */
};

/* How many threads detect anomalies. */
extern int pg_anomaly_threads;

static inline bool pg_anomaly_is_off(void)
{
    return PG_LIKELY(__atomic_load_n(&pg_anomaly_threads, __ATOMIC_RELAXED) == 0);
}

/* Hangs a note on a new node, if this thread is to; false with the message set when there is no memory. */
bool pg_note_forward(pg_node *node, int n, pg_tensor *const *inputs);
/* Adds an output that the node gets. */
void pg_note_output(pg_note *note, const pg_tensor *out);
/* NULL is allowed. */
void pg_note_release(pg_note *note);

bool pg_has_nan(const pg_tensor *t);

/* Around the function of a node in a walk with walk->anomaly. `watch` returns what `watched` takes for `outer`; this, with
 * the status of the function, returns a failure that tells of the forward where the function has failed or returned nan. */
pg_note *pg_watch(const pg_walk *walk, const pg_node *node);
pg_status pg_watched(const pg_walk *walk, const pg_node *node, pg_tensor *const *grads, pg_tensor *const *outs,
                     pg_status status, pg_note *outer);

#endif
