/* The rows of ops.def as nodes of tensors see them. */
#ifndef PG_OPS_ROWS_H
#define PG_OPS_ROWS_H

#include "pygrad.h"

/* What the derivative of a row with respect to one input mentions. It is read off its text, so that a row says it only
 * once; PG_PASSES_G where it is `g` itself, which is then passed on without a copy. */
enum { PG_READS_A = 1, PG_READS_B = 2, PG_READS_Y = 4, PG_PASSES_G = 8 };
extern uint8_t pg_row_reads[PG_OP_COUNT][2]; /* [row][input] */

/* "Add", "LeakyRelu": what grad_fn shows. */
extern const char *pg_row_names[PG_OP_COUNT];

/* To be called before either is read. */
void pg_rows_prepare(void);

#endif
