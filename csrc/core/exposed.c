#include "core/exposed.h"

#include "core/buffer.h"
#include "core/iterate.h"

struct pg_exposure {
    uint32_t arrays;
    uint32_t version; /* of the storage when the first of them came */
    uint32_t digest;  /* of all of it at that time; 0 where nothing had been saved */
};

/* ---- digests ----------------------------------------------------------------------------------------------------- */

/* In each lane a step is a bijection of what was there before, for every word, so that a change of one word always
 * changes the lane. The product comes last: it carries a difference of one bit, such as a sign, to bits that no likely
 * change of the next word has. Digests of different numbers agree with a probability of about 2^-32. */
enum { LANES = 4 };
typedef struct {
    uint64_t lanes[LANES];
} digest;

static inline uint64_t stirred(uint64_t lane, uint64_t word)
{
    const uint64_t both = lane ^ word;
    return (both << 27 | both >> 37) * 0x9E3779B97F4A7C15u; /* 2^64 / golden ratio: an odd number */
}

static void digest_bytes(digest *d, const char *data, size_t bytes)
{
    enum { BLOCK = LANES * 8 };
    uint64_t lanes[LANES], words[LANES];
    memcpy(lanes, d->lanes, sizeof lanes);
    for (; bytes >= BLOCK; bytes -= BLOCK, data += BLOCK) {
        memcpy(words, data, BLOCK);
        for (int i = 0; i < LANES; i++)
            lanes[i] = stirred(lanes[i], words[i]);
    }
    memset(words, 0, sizeof words);
    memcpy(words, data, bytes);
    for (int i = 0; i < LANES; i++)
        lanes[i] = stirred(lanes[i], words[i]);
    memcpy(d->lanes, lanes, sizeof lanes);
}

typedef struct {
    digest *digest;
    size_t itemsize;
} elements;

static void digest_elements(char *const *p, const int64_t *strides, int64_t n, const void *context)
{
    const elements *const all = context;
    if (strides[0] == (int64_t)all->itemsize) {
        digest_bytes(all->digest, p[0], (size_t)n * all->itemsize);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t word = 0;
        memcpy(&word, p[0] + i * strides[0], all->itemsize);
        all->digest->lanes[0] = stirred(all->digest->lanes[0], word);
    }
}

static uint32_t finished(const digest *d)
{
    uint64_t all = 0;
    for (int i = 0; i < LANES; i++)
        all = stirred(all, d->lanes[i]);
    const uint32_t folded = (uint32_t)(all ^ all >> 32);
    return folded != 0 ? folded : 1;
}

uint32_t pg_digest(const pg_tensor *t)
{
    digest d = {{1, 2, 3, 4}};
    pg_iter iter;
    pg_iter_start(&iter, t->ndim, t->shape, 1, &t);
    pg_iter_run(&iter, digest_elements, &(elements){&d, pg_itemsize[t->dtype]});
    return finished(&d);
}

static uint32_t digest_of_storage(const pg_storage *s)
{
    digest d = {{1, 2, 3, 4}};
    digest_bytes(&d, s->data, s->bytes);
    return finished(&d);
}

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

bool pg_was_written(const pg_storage *s)
{
    const pg_exposure *const e = s->exposure;
    return e->digest != 0 && e->version == s->version && e->digest != digest_of_storage(s);
}

pg_status pg_expose(pg_storage *s)
{
    if (s->exposure == NULL) {
        pg_exposure *const e = pg_buffer_take(sizeof *e);
        if (e == NULL)
            return PG_NO_MEMORY;
        *e = (pg_exposure){.version = s->version, .digest = s->saved > 0 ? digest_of_storage(s) : 0};
        s->exposure = e;
    }
    s->exposure->arrays++;
    return PG_OK;
}

void pg_conceal(pg_storage *s)
{
    s->exposure->arrays--;
    pg_forget_exposure(s);
}

void pg_forget_exposure(pg_storage *s)
{
    if (s->exposure->arrays > 0 || s->saved > 0)
        return;
    pg_buffer_give(s->exposure, sizeof *s->exposure);
    s->exposure = NULL;
}
