/* Any bytes as a CSV file. A table that is read has as many fields in each row as it has columns,
 * all of them UTF-8, rows in the order of their lines; an error names the file. */
#include "generator/thing/csv.h"
#include "workplace.h"

static void check_table(const struct csv *table)
{
    size_t line = 0;
    must_hold(table->column_count > 0);
    for (size_t i = 0; i < table->count; i++) {
        const struct csv_row *row = &table->rows[i];
        must_hold(row->line >= line && row->line > 0);
        line = row->line;
        for (size_t j = 0; j < table->column_count; j++) {
            must_hold(utf8_valid(row->fields[j], strlen(row->fields[j]), NULL));
            must_hold(csv_field(table, row, table->columns[j]) == row->fields[j]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static bool there;
    struct csv table;
    struct error error = {0};
    if (!there)
        go_to_workplace();
    there = true;
    put_file("things.csv", input, size);
    enum status status = csv_read("things.csv", &table, &error);
    if (status)
        must_hold(status == WRONG_INPUT && error.status == status &&
                  begins_with(text_string(&error.message), "things.csv"));
    else
        check_table(&table);
    csv_wipe(&table);
    error_free(&error);
    return 0;
}
