/* where and clamp, with numbers among their operands. */
#ifndef PG_OPS_SELECT_H
#define PG_OPS_SELECT_H

#include "ops/promote.h"

/* operands[2]: what is taken where the condition, a bool tensor, is true, and where it is false. */
pg_tensor *pg_where(pg_tensor *condition, const pg_operand *operands);

/* operands[3]: a tensor, its lower and its upper bound, of which has_low and has_high say that they are there. */
pg_tensor *pg_clamp(const pg_operand *operands, bool has_low, bool has_high);

#endif
