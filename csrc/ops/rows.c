/* What the rows of ops.def read in backward, and what nodes made of them are called. */
#include "ops/rows.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static const char *const slope_texts[PG_OP_COUNT][2] = {
#define UNARY(name, symbol, saves, value, da, domain, doc) {#da, NULL},
#define BINARY(name, symbol, saves, value, da, db, domain_a, domain_b, doc) {#da, #db},
#include "ops/ops.def"
#undef UNARY
#undef BINARY
};

uint8_t pg_row_reads[PG_OP_COUNT][2];

/* "leaky_relu" as "LeakyRelu". */
enum { NAME_ROOM = 32 };
static char names_room[PG_OP_COUNT][NAME_ROOM];
const char *pg_row_names[PG_OP_COUNT];

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static uint8_t reads_of(const char *text)
{
    uint8_t bits = strcmp(text, "g") == 0 ? PG_PASSES_G : 0;
    for (const char *c = text; *c != '\0'; c++) {
        const bool alone = (c == text || !is_letter(c[-1])) && !is_letter(c[1]);
        bits |= !alone ? 0 : *c == 'a' ? PG_READS_A : *c == 'b' ? PG_READS_B : *c == 'y' ? PG_READS_Y : 0;
    }
    return bits;
}

static void read_rows(void)
{
    for (int op = 0; op < PG_OP_COUNT; op++) {
        for (int i = 0; i < 2; i++)
            pg_row_reads[op][i] = slope_texts[op][i] == NULL ? 0 : reads_of(slope_texts[op][i]);
        char *to = names_room[op];
        bool capital = true;
        for (const char *from = pg_op_row(op)->name; *from != '\0' && to < names_room[op] + NAME_ROOM - 1; from++) {
            if (*from != '_')
                *to++ = capital && *from >= 'a' && *from <= 'z' ? (char)(*from - 'a' + 'A') : *from;
            capital = *from == '_';
        }
        pg_row_names[op] = names_room[op];
    }
    pg_row_names[PG_OP_square] = "Pow"; /* as in PyTorch; x**2 is computed by it */
}

void pg_rows_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_rows);
}
