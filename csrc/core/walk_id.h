/* Numbers for walks over graphs, of all threads: nodes carry the number of the walk that holds them. */
#ifndef PG_WALK_ID_H
#define PG_WALK_ID_H

#include <stdbool.h>
#include <stdint.h>

enum { PG_LAST_WALK = 255 };

/* 0 when so many walks are under way at once that no number is left. */
uint8_t pg_walk_begin(void);
void pg_walk_end(uint8_t id);
/* Whether that walk was another thread's when the process forked: nobody will end it. */
bool pg_walk_is_lost(uint8_t id);

#endif
