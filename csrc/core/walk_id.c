#include "core/walk_id.h"

#include <pthread.h>

enum {
    FREE,
    LIVE,
    LOST /* with the thread that a fork left behind; nodes may carry it for ever, so it is not reused */
};

static unsigned char walk_state[PG_LAST_WALK + 1];
static pthread_t walk_thread[PG_LAST_WALK + 1];

static void lose_walks_of_other_threads(void)
{
    for (int id = 1; id <= PG_LAST_WALK; id++)
        if (walk_state[id] == LIVE && !pthread_equal(walk_thread[id], pthread_self()))
            walk_state[id] = LOST;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, lose_walks_of_other_threads);
}

uint8_t pg_walk_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    for (int id = 1; id <= PG_LAST_WALK; id++) {
        unsigned char state = FREE;
        if (__atomic_compare_exchange_n(&walk_state[id], &state, LIVE, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            walk_thread[id] = pthread_self();
            return (uint8_t)id;
        }
    }
    return 0;
}

void pg_walk_end(uint8_t id)
{
    __atomic_store_n(&walk_state[id], FREE, __ATOMIC_RELEASE);
}

bool pg_walk_is_lost(uint8_t id)
{
    return walk_state[id] == LOST;
}
