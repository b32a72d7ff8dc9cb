/* The clocks of this machine, and times as text.
 *
 * A time is a count of seconds or milliseconds since 1970-01-01T00:00:00Z, without leap seconds
 * (POSIX). Elapsed time is measured with the monotonic clock, which nobody sets. */
#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Room for a time as text, with its NUL. */
enum { CLOCK_TEXT = 40 };

/* --- now --- */

/* Milliseconds since 1970. For whole seconds there is time(). */
int64_t clock_milliseconds(void);

/* The monotonic clock, in seconds and in nanoseconds since some moment of the past. The coarse one
 * stands still for up to 4 ms between two ticks of the kernel, and is read in a fifth of the
 * time. */
double clock_monotonic(void);
double clock_monotonic_coarse(void);

/* As clock_monotonic(), but it goes on while the machine is suspended. */
double clock_since_boot(void);
uint64_t clock_monotonic_nanoseconds(void);

/* What the monotonic clock shows in so many seconds: a deadline for pthread_cond_timedwait(). */
struct timespec clock_deadline(double seconds);

/* Sleeps; a signal ends the sleep early. */
void clock_sleep(double seconds);

/* --- writing --- */

/* 2026-11-21T10:12:00Z (RFC 3339) */
void clock_write(int64_t seconds, char text[CLOCK_TEXT]);

/* 2026-11-21T10:12:00.123Z */
void clock_write_milliseconds(int64_t milliseconds, char text[CLOCK_TEXT]);

/* 20261121T101200Z (the basic format of ISO 8601) */
void clock_write_basic(int64_t seconds, char text[CLOCK_TEXT]);

/* 2026-11-21 11:12:00 and 2026-11-21 11:12:00.123, in the time zone of this process */
void clock_write_local(int64_t seconds, char text[CLOCK_TEXT]);
void clock_write_local_milliseconds(int64_t milliseconds, char text[CLOCK_TEXT]);

/* Sat, 21 Nov 2026 11:12:00 +0100 (RFC 5322, date-time), in the time zone of this process */
void clock_write_mail(int64_t seconds, char text[CLOCK_TEXT]);

/* --- reading --- */

/* Each of these reads the whole text and sets *milliseconds, or returns false and leaves it alone.
 * Years have four digits. An offset is Z, UTC, +02:00 or -0530. A fraction of a second may have any
 * number of digits; what is below a millisecond is cut off. A leap second (23:59:60Z) is read as
 * the second after it. */

/* 2026-11-21T10:12:00Z, 2026-11-21T12:12:00.5+02:00 (RFC 3339, date-time) */
bool clock_read(const char *text, int64_t *milliseconds);

/* Also 2026, 2026-11 and 2026-11-21 (their first moment in UTC), and a time without seconds
 * (https://www.w3.org/TR/NOTE-datetime). */
bool clock_read_partial(const char *text, int64_t *milliseconds);

/* As a person types it: a date alone, a time without seconds, a blank in place of the T, one digit
 * in place of 05. Without an offset it is local time. */
bool clock_read_typed(const char *text, int64_t *milliseconds);

/* A duration in seconds: a decimal number and a unit (s, m, h, d or w), such as "30s", "1.5h",
 * "365d"; -1 when it is none. */
double clock_duration(const char *text);

#endif
