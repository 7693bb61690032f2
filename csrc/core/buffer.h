/* Memory for tensors, graph nodes and workspaces: blocks that were given back are kept, by size, for the next taker of
 * that size, so that a training step that has run once takes nothing from the system. Each thread keeps its own, up
 * to a bound, and returns them to the system when it ends. */
#ifndef PG_BUFFER_H
#define PG_BUFFER_H

#include "pygrad.h"

/* At least `bytes`, at a multiple of 64, not cleared; NULL, with the message set, when there is no memory. */
void *pg_buffer_take(size_t bytes);
/* `bytes` as it was asked for. NULL is allowed. */
void pg_buffer_give(void *block, size_t bytes);

#endif
