/* Letting go of the inputs of a dying node, without recursion. Included once by each host, which defines
 *
 *   PG_HOST_DROP(u)  gives up one reference to node u. True if that was the last one and u is plain memory to the
 *                    host: then u goes on the pending list, for the host to release and free in its own loop. A u
 *                    that dies in any other way is the host's affair.
 */
static inline void drop_input(pg_value *u, pg_value **pending)
{
    if (PG_HOST_DROP(u))
        pg_push(pending, u);
}

static void release_block(pg_block *block, pg_value **pending)
{
    if (--block->refs > 0)
        return;
#define DROP(u) drop_input(u, pending)
    PG_EACH_IN_BLOCK(block, DROP);
#undef DROP
    pg_block_free(block);
}

static inline void release_inputs(pg_value *v, pg_value **pending)
{
    if (v->flags & PG_A_INPUT)
        drop_input(v->a.input, pending);
    if (v->flags & PG_B_INPUT)
        drop_input(v->b.input, pending);
    if (PG_UNLIKELY(v->flags & PG_A_BLOCK))
        release_block(v->a.block, pending);
    if (PG_UNLIKELY(v->flags & PG_B_BLOCK))
        release_block(v->b.block, pending);
}
