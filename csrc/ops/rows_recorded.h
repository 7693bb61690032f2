/* The derivatives of ops.def as recorded operations: what second derivatives are made of. */
#ifndef PG_OPS_ROWS_RECORDED_H
#define PG_OPS_ROWS_RECORDED_H

#include "ops/promote.h"

/* What row `op` adds to the gradient of input i, given dL/dy = g, the operands and the output y (NULL where the row does
 * not read it): a new reference with history; NULL on failure. */
pg_tensor *pg_row_slope(int op, int i, pg_tensor *g, pg_operand a, pg_operand b, pg_tensor *y);

#endif
