/* Tensors: n-dimensional arrays that remember how they were computed.
 *
 *     const int64_t shape[] = {2, 2};
 *     pg_tensor *x = pg_tensor_full(PG_FLOAT32, 2, shape, 3.0);
 *     pg_tensor_set_requires_grad(x, 1);
 *     pg_tensor *y = pg_tensor_binary(PG_OP_mul, x, x), *loss = pg_tensor_sum(y, 0, NULL, 0);
 *     if (pg_tensor_backward(loss, NULL, 0) != PG_OK) puts(pg_message());
 *     pg_tensor *g = pg_tensor_grad(x);      // 6 6 6 6
 *
 * Ownership. Functions that return a tensor return a reference that the caller gives up with pg_tensor_release. A
 * result keeps alive what its gradient will need. Views share their memory with what they are views of.
 *
 * Errors. NULL, or a status; pg_failure and pg_message say which and why. A function that is given NULL for a tensor
 * returns NULL and leaves the message, so that a whole expression is checked in one place.
 *
 * Threads. A graph belongs to one thread at a time.
 */
#ifndef PYGRAD_TENSOR_H
#define PYGRAD_TENSOR_H

#include "pygrad.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In the order of promotion: two operands meet in the later of their types. */
typedef enum { PG_BOOL, PG_UINT8, PG_INT32, PG_INT64, PG_FLOAT32, PG_FLOAT64 } pg_dtype;

enum { PG_DTYPES = 6, PG_MAX_DIMS = 8 };

typedef struct pg_tensor pg_tensor;

/* ---- life -------------------------------------------------------------------------------------------------------- */

pg_tensor *pg_tensor_retain(pg_tensor *t);
/* NULL is allowed. */
void pg_tensor_release(pg_tensor *t);

/* Contents undefined. shape[ndim], 0 <= ndim <= PG_MAX_DIMS. */
pg_tensor *pg_tensor_empty(pg_dtype dtype, int ndim, const int64_t *shape);
pg_tensor *pg_tensor_full(pg_dtype dtype, int ndim, const int64_t *shape, double value);
/* A tensor over memory of the caller's, of `bytes` bytes at `data` aligned for the dtype, with strides[ndim] in
 * elements; `release(owner)` is called when no tensor uses it any more. On failure it is not called. */
pg_tensor *pg_tensor_from_memory(pg_dtype dtype, int ndim, const int64_t *shape, const int64_t *strides, void *data,
                                 int64_t bytes, void (*release)(void *owner), void *owner);

/* ---- what a tensor is -------------------------------------------------------------------------------------------- */

pg_dtype pg_tensor_dtype(const pg_tensor *t);
int pg_tensor_ndim(const pg_tensor *t);
int64_t pg_tensor_numel(const pg_tensor *t);
const int64_t *pg_tensor_shape(const pg_tensor *t);
/* In elements. */
const int64_t *pg_tensor_strides(const pg_tensor *t);
void *pg_tensor_data(const pg_tensor *t);

/* ---- gradients --------------------------------------------------------------------------------------------------- */

int pg_tensor_requires_grad(const pg_tensor *t);
pg_status pg_tensor_set_requires_grad(pg_tensor *t, int requires_grad);
/* Borrowed; NULL when there is none. */
pg_tensor *pg_tensor_grad(const pg_tensor *t);
/* Takes no reference of the caller's. `grad` NULL removes it. */
pg_status pg_tensor_set_grad(pg_tensor *t, pg_tensor *grad);

/* Whether operations of this thread are recorded; returns what was set before. */
int pg_grad_enabled(void);
int pg_set_grad_enabled(int enabled);

/* How a graph is walked: saved tensors are freed on the way, unless they are retained; the computation of the gradients is
 * not recorded, unless a graph of it is created, so that they can be differentiated in turn. */
enum { PG_RETAIN_GRAPH = 1, PG_CREATE_GRAPH = 2 };
/* Adds to the gradient of every leaf that `root` depends on. `gradient` is dL/droot, of root's shape and dtype; NULL
 * means 1 and root has one element. */
pg_status pg_tensor_backward(pg_tensor *root, pg_tensor *gradient, int how);
/* out[n]: the derivatives of the roots, weighted by gradients[roots] (entries NULL as above), with respect to
 * inputs[n]; NULL where a root does not depend on an input. Touches no leaf's gradient. */
pg_status pg_tensor_gradients(int roots, pg_tensor *const *root, pg_tensor *const *gradients, int n,
                              pg_tensor *const *inputs, int how, pg_tensor **out);

/* ---- elementwise ops, with broadcasting and promotion ------------------------------------------------------------- */

/* Row `op` of the op table. */
pg_tensor *pg_tensor_unary(int op, pg_tensor *a);
pg_tensor *pg_tensor_binary(int op, pg_tensor *a, pg_tensor *b);
pg_tensor *pg_tensor_binary_number(int op, pg_tensor *a, double b);
pg_tensor *pg_tensor_number_binary(int op, double a, pg_tensor *b);
/* The dtype in which functions of real numbers compute integers: float32 unless set otherwise. */
pg_status pg_set_default_dtype(pg_dtype dtype);
/* t in another dtype; t itself (a new reference) when it has it. */
pg_tensor *pg_tensor_to(pg_tensor *t, pg_dtype dtype);
/* a where condition, a bool tensor, is true, b elsewhere. */
pg_tensor *pg_tensor_where(pg_tensor *condition, pg_tensor *a, pg_tensor *b);
/* min(max(t, low), high); either bound may be NULL. */
pg_tensor *pg_tensor_clamp(pg_tensor *t, pg_tensor *low, pg_tensor *high);

/* ---- matrix products --------------------------------------------------------------------------------------------- */

/* a @ b: [n] @ [n], [m, k] @ [k, n], one of each, or stacks [..., m, k] @ [..., k, n] whose outer dimensions broadcast. */
pg_tensor *pg_tensor_matmul(pg_tensor *a, pg_tensor *b);
/* x @ weight^T + bias: x [..., in], weight [out, in], bias [out] or NULL. */
pg_tensor *pg_tensor_linear(pg_tensor *x, pg_tensor *weight, pg_tensor *bias);

/* ---- shapes, joining and reading ---------------------------------------------------------------------------------- */

/* Views share t's memory. Sizes: one may be -1 and is inferred. */
pg_tensor *pg_tensor_reshape(pg_tensor *t, int ndim, const int64_t *shape); /* a view where possible, else a copy */
pg_tensor *pg_tensor_reshape_view(pg_tensor *t, int ndim, const int64_t *shape); /* a view, else PG_BAD_SHAPE */
/* One dimension for those from `start` to `end`, both included. */
pg_tensor *pg_tensor_flatten(pg_tensor *t, int64_t start, int64_t end);
/* Without those of dims[n] whose size is 1; n of -1: without all of size 1. */
pg_tensor *pg_tensor_squeeze(pg_tensor *t, int n, const int64_t *dims);
pg_tensor *pg_tensor_unsqueeze(pg_tensor *t, int64_t dim);
pg_tensor *pg_tensor_transpose(pg_tensor *t, int64_t a, int64_t b);
/* Dimension i of the result is dimension dims[i] of t. */
pg_tensor *pg_tensor_permute(pg_tensor *t, int n, const int64_t *dims);
/* A size of -1 stays as it is; sizes of 1 are stretched, and dimensions put in front, without copying. */
pg_tensor *pg_tensor_expand(pg_tensor *t, int ndim, const int64_t *shape);
/* t itself (a new reference) when its elements lie in row-major order without gaps, else a clone. */
pg_tensor *pg_tensor_contiguous(pg_tensor *t);
/* A copy in row-major order. */
pg_tensor *pg_tensor_clone(pg_tensor *t);

pg_tensor *pg_tensor_select(pg_tensor *t, int64_t dim, int64_t index);
pg_tensor *pg_tensor_narrow(pg_tensor *t, int64_t dim, int64_t start, int64_t length);
/* start:stop:step as in Python; INT64_MIN and INT64_MAX stand for the ends. A view also when step is negative. */
pg_tensor *pg_tensor_slice(pg_tensor *t, int64_t dim, int64_t start, int64_t stop, int64_t step);

/* tensors[n], alike but for dimension `dim`, one behind the other along it; promoted to one type. */
pg_tensor *pg_tensor_cat(int n, pg_tensor *const *tensors, int64_t dim);
/* tensors[n] of one shape along a new dimension. */
pg_tensor *pg_tensor_stack(int n, pg_tensor *const *tensors, int64_t dim);

typedef enum {
    PG_INDEX_AT,       /* one index: `start` */
    PG_INDEX_SLICE,    /* start:stop:step */
    PG_INDEX_NEW_AXIS, /* a dimension of size 1 */
    PG_INDEX_REST,     /* "...": as many whole dimensions as the others leave */
    PG_INDEX_TENSOR    /* int64 or int32 indices; of dimension 0 the same as PG_INDEX_AT; or a mask of bools */
} pg_index_kind;

typedef struct {
    pg_index_kind kind;
    int64_t start, stop, step;
    pg_tensor *tensor;
} pg_index;

/* t[index[0], ..., index[n-1]] as in PyTorch: a view, or, where there are indices or masks with dimensions, a copy.
 * Indices are broadcast together; their dimensions stand where the first of them was, or in front when a dimension
 * without index lies between two of them. */
pg_tensor *pg_tensor_index(pg_tensor *t, int n, const pg_index *index);

/* ---- reductions --------------------------------------------------------------------------------------------------- */

/* Over dims[n_dims], which count from the end when negative; over everything when n_dims is 0. What is reduced leaves
 * the shape, or stays in it with size 1 where `keepdim` is set. */

/* Integers and bools are summed in int64. float32 is accumulated in float64, float64 with compensation. */
pg_tensor *pg_tensor_sum(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim);
/* Floats only. */
pg_tensor *pg_tensor_mean(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim);
/* The largest and the smallest; several of them share the gradient, nan travels. */
pg_tensor *pg_tensor_amax(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim);
pg_tensor *pg_tensor_amin(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim);
/* Of everything: as amax and amin, but when the result is nan the nans share the gradient. */
pg_tensor *pg_tensor_max(pg_tensor *t);
pg_tensor *pg_tensor_min(pg_tensor *t);
/* Along one dimension, with the place of the first of the largest or smallest (int64) in *indices; the gradient goes to
 * that place. *indices is the caller's to release; NULL on failure. */
pg_tensor *pg_tensor_max_along(pg_tensor *t, int64_t dim, int keepdim, pg_tensor **indices);
pg_tensor *pg_tensor_min_along(pg_tensor *t, int64_t dim, int keepdim, pg_tensor **indices);
/* The place alone; dim NULL: in the flattened tensor. */
pg_tensor *pg_tensor_argmax(pg_tensor *t, const int64_t *dim, int keepdim);
pg_tensor *pg_tensor_argmin(pg_tensor *t, const int64_t *dim, int keepdim);
/* log(sum(exp(t))), finite for finite t; floats only. */
pg_tensor *pg_tensor_logsumexp(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim);
/* exp(t) / sum(exp(t)) along one dimension, and its logarithm; floats only. */
pg_tensor *pg_tensor_softmax(pg_tensor *t, int64_t dim);
pg_tensor *pg_tensor_log_softmax(pg_tensor *t, int64_t dim);

/* ---- losses ------------------------------------------------------------------------------------------------------- */

/* What becomes of the losses of the single elements or samples. */
typedef enum { PG_EACH, PG_MEAN, PG_TOTAL } pg_loss_mode;

/* Of input and target of the same shape. */
pg_tensor *pg_tensor_mse_loss(pg_tensor *input, pg_tensor *target, pg_loss_mode mode);
pg_tensor *pg_tensor_l1_loss(pg_tensor *input, pg_tensor *target, pg_loss_mode mode);
pg_tensor *pg_tensor_huber_loss(pg_tensor *input, pg_tensor *target, double delta, pg_loss_mode mode);
/* weight and pos_weight may be NULL, or broadcast to the input's shape. */
pg_tensor *pg_tensor_binary_cross_entropy(pg_tensor *input, pg_tensor *target, pg_tensor *weight, pg_loss_mode mode);
pg_tensor *pg_tensor_binary_cross_entropy_with_logits(pg_tensor *input, pg_tensor *target, pg_tensor *weight,
                                                      pg_tensor *pos_weight, pg_loss_mode mode);
/* input (C), (N, C) or (N, C, d1, ...); target, int64, int32 or uint8, of the same shape without C; weight NULL or (C).
 * The mean is over what is not `ignore_index`, weighted. */
pg_tensor *pg_tensor_nll_loss(pg_tensor *input, pg_tensor *target, pg_tensor *weight, int64_t ignore_index,
                              pg_loss_mode mode);
/* The same of log_softmax(input); target may also be floats of input's shape, the probabilities of the classes. */
pg_tensor *pg_tensor_cross_entropy(pg_tensor *input, pg_tensor *target, pg_tensor *weight, int64_t ignore_index,
                                   double label_smoothing, pg_loss_mode mode);

/* ---- creation ---------------------------------------------------------------------------------------------------- */

/* As pg_tensor_full, for integers that a double cannot hold; PG_BAD_ARGUMENT when the dtype cannot. */
pg_tensor *pg_tensor_full_int(pg_dtype dtype, int ndim, const int64_t *shape, int64_t value);
/* start, start + step, ... before end: ceil((end - start) / step) numbers, float32 or float64, each computed from its
 * index in double. */
pg_tensor *pg_tensor_arange(pg_dtype dtype, double start, double end, double step);
/* The same of integers, of any dtype but bool. */
pg_tensor *pg_tensor_arange_int(pg_dtype dtype, int64_t start, int64_t end, int64_t step);
/* `steps` numbers from start to end, both included; each half is counted from its own end. */
pg_tensor *pg_tensor_linspace(pg_dtype dtype, double start, double end, int64_t steps);
/* (n, m): ones on the diagonal, zeros elsewhere. */
pg_tensor *pg_tensor_eye(pg_dtype dtype, int64_t n, int64_t m);

/* ---- random numbers: element i of a call depends on the generator, the words it has spent, and i ------------------- */

/* Uniform on [0, 1): float32 with 24 random bits, float64 with 53. */
pg_tensor *pg_tensor_rand(pg_dtype dtype, int ndim, const int64_t *shape, pg_rng *rng);
/* Normal, by Box and Muller. */
pg_tensor *pg_tensor_randn(pg_dtype dtype, int ndim, const int64_t *shape, pg_rng *rng);
/* Integers on [low, high), of any dtype that can hold them all, without bias. */
pg_tensor *pg_tensor_randint(pg_dtype dtype, int ndim, const int64_t *shape, int64_t low, int64_t high, pg_rng *rng);
/* 0 to n - 1 in an order of which all are equally likely; int64. */
pg_tensor *pg_tensor_randperm(int64_t n, pg_rng *rng);
/* In place, on float32 or float64: uniform on [low, high); normal. They return what self is from then on, a new
 * reference. */
pg_tensor *pg_tensor_uniform_(pg_tensor *self, double low, double high, pg_rng *rng);
pg_tensor *pg_tensor_normal_(pg_tensor *self, double mean, double std, pg_rng *rng);

#ifdef __cplusplus
}
#endif

#endif
