#include "segment.h"
#include "guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

_Static_assert(sizeof(struct segment_header) == 64, "the header's layout is fixed");
_Static_assert(sizeof(struct record_header) == 40, "the record's layout is fixed");

enum { WINDOW = 1 << 16 /* bytes that are read at once */ };

/* --- records --- */

uint32_t record_checksum(const struct record_header *header, uint32_t length)
{
    const unsigned char *from = (const unsigned char *)&header->number;
    size_t skipped = (size_t)(from - (const unsigned char *)header);
    return (uint32_t)XXH3_64bits(from, length - skipped);
}

static bool fits(const struct record_header *header, uint32_t length, uint64_t room)
{
    uint64_t sum = sizeof *header;
    sum += header->topic_length;
    sum += header->client_id_length;
    sum += header->principal_length;
    sum += header->payload_length;
    return length >= sizeof *header && length <= room && sum == length;
}

void segment_refresh(struct segment *segment)
{
    segment->length = 0;
}

/* Reads at least so many bytes at this offset, as far as the file goes. */
static void load(struct segment *segment, uint64_t offset, uint64_t least)
{
    uint64_t wanted = least > WINDOW ? least : WINDOW, left = segment->capacity - offset;
    wanted = wanted > left ? left : wanted;
    segment->length = 0;
    segment->from = offset;
    if (wanted > segment->room) {
        char *grown = realloc(segment->window, wanted);
        if (!grown) {
            segment->failed = ENOMEM;
            return;
        }
        segment->window = grown;
        segment->room = wanted;
    }
    while (segment->length < wanted) {
        ssize_t got = pread(segment->descriptor, segment->window + segment->length,
                            wanted - segment->length, (off_t)(offset + segment->length));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            segment->failed = errno;
        if (got <= 0)
            return;
        segment->length += (size_t)got;
    }
}

/* So many bytes of the segment at this offset; NULL: the file ends before them, because somebody
 * truncated it, or `failed` is set. */
static const void *bytes_at(struct segment *segment, uint64_t offset, uint64_t length)
{
    if (offset < segment->from || offset + length > segment->from + segment->length)
        load(segment, offset, length);
    if (offset + length <= segment->from + segment->length)
        return segment->window + (offset - segment->from);
    if (!segment->failed) {
        segment->capacity = segment->from + segment->length;
        segment->damaged = true;
    }
    return NULL;
}

uint32_t segment_record(struct segment *segment, uint64_t offset, struct spool_record *record,
                        bool *torn)
{
    *torn = false;
    if (offset + sizeof(uint32_t) > segment->capacity)
        return SEALED;
    const struct record_header *header = bytes_at(segment, offset, sizeof header->length);
    if (!header)
        return segment->failed ? 0 : SEALED;
    uint32_t length = header->length;
    if (length == 0 || length == SEALED)
        return length;
    bool whole = offset + sizeof *header <= segment->capacity &&
                 (header = bytes_at(segment, offset, sizeof *header)) &&
                 fits(header, length, segment->capacity - offset) &&
                 (header = bytes_at(segment, offset, length)) &&
                 record_checksum(header, length) == header->checksum;
    if (!whole) {
        *torn = !segment->failed;
        return 0;
    }
    const char *at = (const char *)(header + 1);
    *record = (struct spool_record){.number = header->number,
                                    .time = header->time,
                                    .topic_length = header->topic_length,
                                    .client_id_length = header->client_id_length,
                                    .principal_length = header->principal_length,
                                    .payload_length = header->payload_length,
                                    .topic = at};
    record->client_id = record->topic + record->topic_length;
    record->principal = record->client_id + record->client_id_length;
    record->payload = record->principal + record->principal_length;
    return length;
}

/* Whether so many records as are missing before it had room there. */
static bool is_plausible(const struct spool_record *record, uint64_t next, uint64_t distance)
{
    return record->number >= next &&
           record->number - next <= distance / sizeof(struct record_header);
}

uint64_t segment_search(struct segment *segment, uint64_t offset, uint64_t next,
                        struct spool_record *record)
{
    bool torn;
    segment_refresh(segment);
    for (uint64_t at = offset;
         !segment->failed && at + sizeof(struct record_header) <= segment->capacity;
         at += RECORD_ALIGN) {
        uint32_t length = segment_record(segment, at, record, &torn);
        if (length && length != SEALED && is_plausible(record, next, at - offset))
            return at;
    }
    return 0;
}

/* --- segments --- */

void segment_path(const char *folder, uint64_t first, char path[SEGMENT_PATH])
{
    snprintf(path, SEGMENT_PATH, "%s/%020" PRIu64 SPOOL_SUFFIX, folder, first);
}

static bool header_valid(const struct segment_header *header, const struct segment *segment)
{
    return memcmp(header->magic, SPOOL_MAGIC, sizeof header->magic) == 0 &&
           (header->first == segment->first || header->first == 0) &&
           header->capacity == segment->capacity;
}

/* Only the digit is another one than in SPOOL_MAGIC. */
static bool other_version(const struct segment_header *header)
{
    size_t name = sizeof header->magic - 1;
    return memcmp(header->magic, SPOOL_MAGIC, name) == 0 &&
           header->magic[name] != SPOOL_MAGIC[name];
}

/* False with errno. A file that is shorter than a header gives one of zeros. */
static bool read_header(struct segment *segment, struct segment_header *header)
{
    struct stat facts;
    *header = (struct segment_header){0};
    if (fstat(segment->descriptor, &facts) ||
        pread(segment->descriptor, header, sizeof *header, 0) < 0)
        return false;
    segment->capacity = (uint64_t)facts.st_size;
    return true;
}

/* An empty file cannot be mapped, and is not written. */
static bool map(struct segment *segment)
{
    if (!segment->capacity)
        return true;
    void *at =
        mmap(NULL, segment->capacity, PROT_READ | PROT_WRITE, MAP_SHARED, segment->descriptor, 0);
    if (at == MAP_FAILED)
        return false;
    segment->at = at;
    segment->mapped = segment->capacity;
    return true;
}

bool segment_open(const char *folder, uint64_t first, bool write, struct segment *segment)
{
    char path[SEGMENT_PATH];
    struct segment_header header;
    *segment = (struct segment){.descriptor = -1, .first = first};
    segment_path(folder, first, path);
    segment->descriptor = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
    if (segment->descriptor < 0)
        return false;
    errno = 0;
    if (!read_header(segment, &header) || other_version(&header) || (write && !map(segment))) {
        int why = errno;
        segment_close(segment);
        errno = why;
        return false;
    }
    segment->damaged = !header_valid(&header, segment);
    if (!segment->damaged) {
        segment->begins = header.begins == 1;
        segment->spool = header.spool;
    }
    return true;
}

void segment_close(struct segment *segment)
{
    if (segment->descriptor >= 0)
        close(segment->descriptor);
    if (segment->at)
        munmap(segment->at, segment->mapped);
    free(segment->window);
    *segment = (struct segment){.descriptor = -1};
}

int segment_write(const struct segment *segment, uint64_t offset, const void *bytes, size_t length)
{
    struct stat facts;
    if (offset + length > segment->mapped)
        return ENOSPC;
    if (guard_copy(segment->at + offset, bytes, length))
        return 0;
    return fstat(segment->descriptor, &facts) == 0 && (uint64_t)facts.st_size < segment->mapped
               ? TRUNCATED
               : EIO;
}

bool segment_keep(const char *folder, uint64_t first, char kept[SEGMENT_PATH])
{
    char path[SEGMENT_PATH];
    segment_path(folder, first, path);
    snprintf(kept, SEGMENT_PATH, "%s/%020" PRIu64 DAMAGED_SUFFIX, folder, first);
    return link(path, kept) == 0 || errno == EEXIST;
}

/* --- the folder --- */

static bool is_segment(const char *name, uint64_t *first)
{
    char *end;
    if (strlen(name) != 20 + strlen(SPOOL_SUFFIX) || strspn(name, "0123456789") != 20)
        return false;
    errno = 0;
    *first = strtoull(name, &end, 10);
    return errno == 0 && strcmp(end, SPOOL_SUFFIX) == 0;
}

static int by_number(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

static bool add_number(uint64_t **list, size_t count, size_t *room, uint64_t first)
{
    if (count == *room) {
        size_t wanted = *room ? 2 * *room : 64;
        uint64_t *grown = realloc(*list, wanted * sizeof **list);
        if (!grown)
            return false;
        *list = grown;
        *room = wanted;
    }
    (*list)[count] = first;
    return true;
}

ssize_t segment_list(const char *folder, uint64_t **list, uint64_t *bytes)
{
    size_t count = 0, room = 0;
    uint64_t first, sum = 0;
    DIR *open_folder = opendir(folder);
    const struct dirent *entry;
    *list = NULL;
    if (!open_folder)
        return -1;
    errno = 0;
    while ((entry = readdir(open_folder))) {
        struct stat facts;
        if (!is_segment(entry->d_name, &first))
            continue;
        if (!add_number(list, count, &room, first)) {
            free(*list);
            *list = NULL;
            closedir(open_folder);
            errno = ENOMEM;
            return -1;
        }
        count++;
        if (bytes && fstatat(dirfd(open_folder), entry->d_name, &facts, 0) == 0)
            sum += (uint64_t)facts.st_size;
    }
    closedir(open_folder);
    if (count)
        qsort(*list, count, sizeof **list, by_number);
    if (bytes)
        *bytes = sum;
    return (ssize_t)count;
}

size_t spool_damaged_files(const char *folder)
{
    DIR *open_folder = opendir(folder);
    const struct dirent *entry;
    size_t count = 0;
    while (open_folder && (entry = readdir(open_folder)))
        count += strspn(entry->d_name, "0123456789") == 20 &&
                 strcmp(entry->d_name + 20, DAMAGED_SUFFIX) == 0;
    if (open_folder)
        closedir(open_folder);
    return count;
}

/* --- the bell --- */

const char *refusal_words(int why)
{
    return why == FULL ? "it is full" : why == TRUNCATED ? "it was truncated" : strerror(why);
}

struct bell *bell_open(const char *folder)
{
    char path[SEGMENT_PATH];
    snprintf(path, sizeof path, "%s/bell", folder);
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return NULL;
    void *at =
        ftruncate(descriptor, sizeof(struct bell)) == 0
            ? mmap(NULL, sizeof(struct bell), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
            : MAP_FAILED;
    close(descriptor);
    return at == MAP_FAILED ? NULL : at;
}

void bell_close(struct bell *bell)
{
    if (bell)
        munmap(bell, sizeof *bell);
}

/* Linux's boot id (proc_sys_kernel(5)). False: it cannot be read; then no boot counts as current.
 */
static bool boot_id(char id[BOOT_ID])
{
    int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    bool whole = descriptor >= 0 && read(descriptor, id, BOOT_ID) == BOOT_ID;
    if (descriptor >= 0)
        close(descriptor);
    return whole;
}

bool bell_is_current(const struct bell *bell)
{
    char id[BOOT_ID];
    return boot_id(id) && memcmp(bell->boot, id, sizeof id) == 0;
}

void bell_mark(struct bell *bell)
{
    char id[BOOT_ID];
    if (boot_id(id))
        memcpy(bell->boot, id, sizeof id);
}

/* Costs a system call only when a reader sleeps. The writer changes rung and then reads asleep; the
 * reader changes asleep and then reads rung. Both are sequentially consistent (seq_cst), so at
 * least one of them sees the other's change, and no wake-up is lost. */
void bell_ring(struct bell *bell)
{
    atomic_fetch_add(&bell->rung, 1);
    if (atomic_load(&bell->asleep))
        syscall(SYS_futex, &bell->rung, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void bell_wait(struct bell *bell, uint32_t seen, double seconds)
{
    struct timespec most = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    atomic_fetch_add(&bell->asleep, 1);
    if (atomic_load(&bell->rung) == seen)
        syscall(SYS_futex, &bell->rung, FUTEX_WAIT, seen, &most, NULL, 0);
    atomic_fetch_sub(&bell->asleep, 1);
}
