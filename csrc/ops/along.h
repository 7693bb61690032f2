/* Reading and writing at indices along a dimension: what the glue needs beyond pygrad_tensor.h. */
#ifndef PG_OPS_ALONG_H
#define PG_OPS_ALONG_H

#include "ops/promote.h"

/* As pg_tensor_scatter, of one number. */
pg_tensor *pg_scatter_number(pg_tensor *self, int64_t dim, pg_tensor *index, pg_number number);
/* A number, or a tensor without dimensions. */
pg_tensor *pg_masked_fill(pg_tensor *self, pg_tensor *mask, pg_operand value);

/* In place. They return what self is from then on, a new reference. */
pg_tensor *pg_scatter_(pg_tensor *self, int64_t dim, pg_tensor *index, pg_operand src);
pg_tensor *pg_scatter_add_(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *src);
pg_tensor *pg_index_add_(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *source);
pg_tensor *pg_masked_fill_(pg_tensor *self, pg_tensor *mask, pg_operand value);

/* An index tensor as int64, a new reference; NULL with PG_BAD_STATE for other dtypes than int64 and int32. */
pg_tensor *pg_read_indices(const char *op, pg_tensor *index);
/* `status` where one of index, which is int64, is not in [low, size). */
pg_status pg_check_places(const char *op, pg_status status, const pg_tensor *index, int dim, int64_t low, int64_t size);

#endif
