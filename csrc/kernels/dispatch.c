#include "kernels/dispatch.h"

#include "core/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#define PG_X86 1
#endif

extern const pg_kernels pg_kernels_generic;
#ifdef PG_X86
extern const pg_kernels pg_kernels_avx2, pg_kernels_avx512;
#endif
#ifdef __aarch64__
extern const pg_kernels pg_kernels_neon;
#endif

const pg_kernels *_Atomic pg_kernels_chosen;

/* ---- what the processor runs ------------------------------------------------------------------------------------- */

/* out[4]: the sets that are here, slowest first; how many. */
static int available(const pg_kernels **out)
{
    int count = 0;
    out[count++] = &pg_kernels_generic;
#ifdef PG_X86
    /* These ask the operating system too, which has to save the wider registers. */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        out[count++] = &pg_kernels_avx2;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
            out[count++] = &pg_kernels_avx512;
    }
#endif
#ifdef __aarch64__
    out[count++] = &pg_kernels_neon; /* part of every 64-bit ARM processor */
#endif
    return count;
}

/* The set of that name, or the best for NULL; NULL when it is not here. */
static const pg_kernels *find(const char *name)
{
    const pg_kernels *sets[4];
    const int count = available(sets);
    if (name == NULL)
        return sets[count - 1];
    for (int i = 0; i < count; i++)
        if (strcmp(sets[i]->name, name) == 0)
            return sets[i];
    return NULL;
}

/* text[size]: the names of the sets that are here. */
static void list_available(size_t size, char *text)
{
    const char *name;
    text[0] = '\0';
    for (int i = 0; (name = pg_isa_available(i)) != NULL; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", name);
    }
}

/* ---- the choice -------------------------------------------------------------------------------------------------- */

/* PYGRAD_ISA, or NULL where it asks for nothing. */
static const char *wanted(void)
{
    const char *name = getenv("PYGRAD_ISA");
    return name != NULL && name[0] != '\0' ? name : NULL;
}

/* Threads that come here at once choose the same. A set that pg_isa_use has put there meanwhile stays. */
const pg_kernels *pg_kernels_choose(void)
{
    const pg_kernels *kernels = find(wanted()), *before = NULL;
    if (kernels == NULL)
        kernels = find(NULL);
    return atomic_compare_exchange_strong(&pg_kernels_chosen, &before, kernels) ? kernels : before;
}

const char *pg_isa(void)
{
    return pg_kernels_in_use()->name;
}

const char *pg_isa_available(int index)
{
    const pg_kernels *sets[4];
    const int count = available(sets);
    return index >= 0 && index < count ? sets[index]->name : NULL;
}

pg_status pg_isa_use(const char *name)
{
    const pg_kernels *kernels = find(name);
    if (kernels == NULL) {
        char names[64];
        list_available(sizeof names, names);
        return pg_fail(PG_BAD_ARGUMENT, "no instruction set '%s' here; there are: %s", name, names);
    }
    atomic_store_explicit(&pg_kernels_chosen, kernels, memory_order_release);
    return PG_OK;
}

const char *pg_isa_complaint(void)
{
    static _Thread_local char text[160];
    const char *name = wanted();
    if (find(name) != NULL)
        return NULL;
    char names[64];
    list_available(sizeof names, names);
    snprintf(text, sizeof text, "PYGRAD_ISA='%.40s' is not obeyed: this processor runs %s", name, names);
    return text;
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

pg_status pg_matmul_f32(const pg_matmul_job *job)
{
    return pg_kernels_in_use()->matmul_f32(job);
}

pg_status pg_matmul_f64(const pg_matmul_job *job)
{
    return pg_kernels_in_use()->matmul_f64(job);
}
