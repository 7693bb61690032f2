/* Memory that others write, too: that of a tensor as a numpy array, and that of an array as a tensor. What is written
 * there moves no version, so that a node recognises by a digest what it has saved of such memory. */
#ifndef PG_EXPOSED_H
#define PG_EXPOSED_H

#include "core/autograd.h"

/* Of t's elements; never 0. */
uint32_t pg_digest(const pg_tensor *t);
/* Whether what arrays share is not what it was when the first of them came, and no version moved since. */
bool pg_was_written(const pg_storage *storage);

/* Notes t, which is about to be saved, and takes over the reference to it. */
static inline void pg_guard(pg_saved *saved, pg_tensor *t)
{
    pg_storage *const s = t->storage;
    saved->tensor = t;
    saved->version = s->version;
    saved->digest = PG_UNLIKELY(s->release != NULL || s->exposure != NULL) ? pg_digest(t) : 0;
    s->saved++;
}

/* Whether somebody else has written to it since. Moved versions are not looked at. */
static inline bool pg_was_overwritten(const pg_saved *saved)
{
    if (PG_LIKELY(saved->digest == 0))
        return PG_UNLIKELY(saved->tensor->storage->exposure != NULL) && pg_was_written(saved->tensor->storage);
    return pg_digest(saved->tensor) != saved->digest;
}

/* Drops the notes on arrays of this memory, if there is none left and nothing saved that could have changed. */
void pg_forget_exposure(pg_storage *storage);

/* Gives it up. */
static inline void pg_unguard(pg_saved *saved)
{
    pg_tensor *const t = saved->tensor;
    saved->tensor = NULL;
    if (t == NULL)
        return;
    t->storage->saved--;
    if (PG_UNLIKELY(t->storage->exposure != NULL))
        pg_forget_exposure(t->storage);
    pg_tensor_release(t);
}

/* One array more has the memory, and one fewer. */
pg_status pg_expose(pg_storage *storage);
void pg_conceal(pg_storage *storage);

#endif
