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

/* Whether this thread detects anomalies; returns what was set before. PG_ANOMALY_NOTE: operations note where they ran and
 * on what, and errors in backward tell it. PG_ANOMALY_NAN: besides, backward fails with PG_BAD_STATE at the first function
 * that returns a gradient with nan in it, naming the operation, the shapes and where nan first appeared. */
enum { PG_ANOMALY_OFF, PG_ANOMALY_NOTE, PG_ANOMALY_NAN };
int pg_anomaly_mode(void);
int pg_set_anomaly_mode(int mode);

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

/* out[n]: views of sizes[n] along dimension `dim`, which together have its size; all NULL on failure. */
pg_status pg_tensor_split(pg_tensor *t, int64_t dim, int64_t n, const int64_t *sizes, pg_tensor **out);
/* out[size of `dim`]: views without that dimension. */
pg_status pg_tensor_unbind(pg_tensor *t, int64_t dim, pg_tensor **out);

/* The view of elements [..., i, i + offset, ...]: the other dimensions, then i. */
pg_tensor *pg_tensor_diagonal(pg_tensor *t, int64_t offset, int64_t dim1, int64_t dim2);
/* A copy of a matrix's diagonal; from a vector the matrix that has it as diagonal. */
pg_tensor *pg_tensor_diag(pg_tensor *t, int64_t offset);

/* Copies. In another order along dims[n]. */
pg_tensor *pg_tensor_flip(pg_tensor *t, int n, const int64_t *dims);
/* by[n] places on along dims[n], the last ones coming first again; n_dims of 0 and n of 1: all elements in one row. */
pg_tensor *pg_tensor_roll(pg_tensor *t, int n, const int64_t *by, int n_dims, const int64_t *dims);
/* With zeros above or below a diagonal of the last two dimensions, which is counted upwards from the main one. */
pg_tensor *pg_tensor_tril(pg_tensor *t, int64_t diagonal);
pg_tensor *pg_tensor_triu(pg_tensor *t, int64_t diagonal);
/* With before[n] and after[n] elements more at the ends of the last n dimensions, or fewer where they are negative;
 * value: without dimensions, of t's dtype, a constant; NULL for 0. */
pg_tensor *pg_tensor_pad(pg_tensor *t, int n, const int64_t *before, const int64_t *after, pg_tensor *value);

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

/* Along one dimension. Indices are int64 or int32 and not negative unless said otherwise, and all are checked before
 * anything is written; what is added comes in the order of the index. */

/* out[i][j] = t[index[i][j]][j] for dim 0: index has as many dimensions as t, and is no larger apart from dim. */
pg_tensor *pg_tensor_gather(pg_tensor *t, int64_t dim, pg_tensor *index);
/* A copy of self with self[index[i][j]][j] = src[i][j] for dim 0; of several the last stays, and has the gradient. */
pg_tensor *pg_tensor_scatter(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *src);
/* The same with += in the place of =. */
pg_tensor *pg_tensor_scatter_add(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *src);
/* A copy of self with slice i of source added to slice index[i]. */
pg_tensor *pg_tensor_index_add(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *source);
/* Slices index[n] of t. */
pg_tensor *pg_tensor_index_select(pg_tensor *t, int64_t dim, pg_tensor *index);
/* gather after broadcasting apart from dim; negative indices count from the end. */
pg_tensor *pg_tensor_take_along_dim(pg_tensor *t, pg_tensor *index, int64_t dim);
/* Where the mask, which broadcasts with t, is true: of one dimension. */
pg_tensor *pg_tensor_masked_select(pg_tensor *t, pg_tensor *mask);
/* Rows index[...] of weight (rows, size); row *padding, unless that is NULL, gets no gradient. */
pg_tensor *pg_tensor_embedding(pg_tensor *index, pg_tensor *weight, const int64_t *padding);
/* int64: 1 in the place that an element of t, int64, names along a new last dimension, of size `classes`; -1: as many
 * as the largest element wants. */
pg_tensor *pg_tensor_one_hot(pg_tensor *t, int64_t classes);

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

/* The mean of the squared distances from the mean, and its root, with n - correction in place of n. Floats only. */
pg_tensor *pg_tensor_var(pg_tensor *t, int n_dims, const int64_t *dims, double correction, int keepdim);
pg_tensor *pg_tensor_std(pg_tensor *t, int n_dims, const int64_t *dims, double correction, int keepdim);
/* (sum |t|^p)^(1/p); for p of 0 how many are not 0, for inf and -inf the largest and smallest |t|. Floats only; where
 * the norm is 0 so is its gradient. */
pg_tensor *pg_tensor_norm(pg_tensor *t, double p, int n_dims, const int64_t *dims, int keepdim);
/* Whether any, and whether all are other than 0: bools, but uint8 of uint8. */
pg_tensor *pg_tensor_any(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim);
pg_tensor *pg_tensor_all(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim);
/* The product, of everything when dim is NULL; integers and bools in int64. Its gradient is exact where a factor is 0. */
pg_tensor *pg_tensor_prod(pg_tensor *t, const int64_t *dim, int keepdim);
/* Sums and products of t[0], ..., t[i] along a dimension; integers and bools in int64. */
pg_tensor *pg_tensor_cumsum(pg_tensor *t, int64_t dim);
pg_tensor *pg_tensor_cumprod(pg_tensor *t, int64_t dim);

/* ---- order -------------------------------------------------------------------------------------------------------- */

/* Along one dimension, with the places (int64) in *indices, which is the caller's to release; NULL on failure. nan counts
 * as the largest; of equal elements the first comes first. */
pg_tensor *pg_tensor_sort(pg_tensor *t, int64_t dim, int descending, pg_tensor **indices);
/* The k largest or smallest, in order. */
pg_tensor *pg_tensor_topk(pg_tensor *t, int64_t k, int64_t dim, int largest, pg_tensor **indices);
/* The middle one, the lower of two; nan where there is a nan. Of everything, all that are equal to it share the
 * gradient. */
pg_tensor *pg_tensor_median_along(pg_tensor *t, int64_t dim, int keepdim, pg_tensor **indices);
pg_tensor *pg_tensor_median(pg_tensor *t);
/* (n, ndim): the indices of what is other than 0, in row-major order; int64. */
pg_tensor *pg_tensor_nonzero(pg_tensor *t);

/* ---- losses ------------------------------------------------------------------------------------------------------- */

/* What becomes of the losses of the single elements or samples. */
typedef enum { PG_EACH, PG_MEAN, PG_TOTAL } pg_loss_mode;

/* Of input and target of the same shape. */
pg_tensor *pg_tensor_mse_loss(pg_tensor *input, pg_tensor *target, pg_loss_mode mode);
pg_tensor *pg_tensor_l1_loss(pg_tensor *input, pg_tensor *target, pg_loss_mode mode);
pg_tensor *pg_tensor_huber_loss(pg_tensor *input, pg_tensor *target, double delta, pg_loss_mode mode);
/* huber_loss divided by beta; l1_loss for a beta of 0. */
pg_tensor *pg_tensor_smooth_l1_loss(pg_tensor *input, pg_tensor *target, double beta, pg_loss_mode mode);
/* t (log t - x), t being exp(target) when `log_target`. */
pg_tensor *pg_tensor_kl_div(pg_tensor *input, pg_tensor *target, int log_target, pg_loss_mode mode);
/* x where target is 1, max(0, margin - x) where it is -1; target gets no gradient. */
pg_tensor *pg_tensor_hinge_embedding_loss(pg_tensor *input, pg_tensor *target, double margin, pg_loss_mode mode);
/* max(0, 1 - label * score) for labels -1 and 1. */
pg_tensor *pg_tensor_hinge_loss(pg_tensor *score, pg_tensor *label, pg_loss_mode mode);
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

/* ---- normalisation ------------------------------------------------------------------------------------------------ */

/* Over the last dimensions of x, which are shape[n_dims]: (x - mean) / sqrt(variance + eps), times weight, plus bias,
 * each of that shape or NULL. */
pg_tensor *pg_tensor_layer_norm(pg_tensor *x, int n_dims, const int64_t *shape, pg_tensor *weight, pg_tensor *bias,
                                double eps);
/* x / sqrt(mean of squares + eps), times weight; eps NULL: the distance from 1 to the next number of the dtype. */
pg_tensor *pg_tensor_rms_norm(pg_tensor *x, int n_dims, const int64_t *shape, pg_tensor *weight, const double *eps);
/* As layer_norm, over all dimensions of x (N, C, ...) but that of the channels, each of which has a weight and a bias
 * (C). Not training: with the running mean and variance (C). Training: with those of x, towards which the running ones
 * go by the factor momentum, the variance without bias; they may both be NULL. */
pg_tensor *pg_tensor_batch_norm(pg_tensor *x, pg_tensor *running_mean, pg_tensor *running_var, pg_tensor *weight,
                                pg_tensor *bias, int training, double momentum, double eps);

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
/* x with each element 0 with probability p, else divided by 1 - p. */
pg_tensor *pg_tensor_dropout(pg_tensor *x, double p, pg_rng *rng);
/* In place, on float32 or float64: uniform on [low, high); normal. They return what self is from then on, a new
 * reference. */
pg_tensor *pg_tensor_uniform_(pg_tensor *self, double low, double high, pg_rng *rng);
pg_tensor *pg_tensor_normal_(pg_tensor *self, double mean, double std, pg_rng *rng);

#ifdef __cplusplus
}
#endif

#endif
