/* Mail, through a sendmail that is a script of the test's own: what it is given, and what becomes
 * of one that hangs. */
#include "common/base/files.h"
#include "hub/actions/mail.h"
#include "workplace.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

static char why[160];

static int begin(void **state)
{
    int failed = clear_workplace(state);
    char here[4096];
    signal(SIGPIPE, SIG_IGN);
    assert_non_null(getcwd(here, sizeof here));
    owned char *path = must_format("%s:/usr/bin:/bin", here);
    assert_int_equal(setenv("PATH", path, 1), 0);
    *why = '\0';
    return failed;
}

static void put_sendmail(const char *script)
{
    put("sendmail", script);
    assert_int_equal(chmod("sendmail", 0755), 0);
}

static bool send_text(const char *text, size_t length, double seconds)
{
    return mail_send(NULL, "ops@example.org", "Sensorforge: alarms", text, length, seconds, why,
                     sizeof why);
}

static void assert_line(const char *message, const char *begins)
{
    owned char *line = must_format("\r\n%s", begins);
    if (!strstr(message, line) && strncmp(message, begins, strlen(begins)) != 0)
        fail_msg("no \"%s\" in:\n%s", begins, message);
}

/* RFC 5322, 3.6: From and Date exactly once, an id; and an empty line between headers and body. */
static void a_mail_has_its_headers(void **state)
{
    (void)state;
    put_sendmail("#!/bin/sh\necho \"$*\" >words\nexec cat >mail\n");
    assert_true(send_text("it is hot", 9, 10));
    owned char *words = get("words"), *first = get("mail");
    assert_string_equal(words, "-i -- ops@example.org\n");
    assert_line(first, "From: Sensorforge <sensorforge@");
    assert_line(first, "Date: ");
    assert_line(first, "Message-ID: <");
    assert_line(first, "To: ops@example.org\r\n");
    assert_line(first, "Subject: Sensorforge: alarms\r\n");
    assert_line(first, "MIME-Version: 1.0\r\n");
    assert_non_null(strstr(first, "\r\n\r\naXQgaXMgaG90\r\n"));
    assert_true(send_text("it is hot", 9, 10));
    owned char *second = get("mail");
    char *id = strstr(first, "Message-ID: "), *other = strstr(second, "Message-ID: ");
    assert_true(strncmp(id, other, strcspn(id, "\r")) != 0);
}

static void a_header_has_one_line(void **state)
{
    (void)state;
    put_sendmail("#!/bin/sh\nexec cat >mail\n");
    assert_true(
        mail_send(NULL, "ops@example.org", "a\r\nBcc: x@example.org", "", 0, 10, why, sizeof why));
    owned char *mail = get("mail");
    assert_null(strstr(mail, "\nBcc"));
    assert_line(mail, "Subject: a  Bcc: x@example.org\r\n");
}

static void one_that_fails_is_told(void **state)
{
    (void)state;
    put_sendmail("#!/bin/sh\nexit 75\n");
    assert_false(send_text("x", 1, 10));
    assert_string_equal(why, "sendmail ended with code 75");
}

/* It reads nothing, or all; what it has started is ended with it. */
static void one_that_hangs_is_ended(void **state)
{
    (void)state;
    enum { LARGE = 1 << 20 };
    owned char *large = must_alloc(LARGE);
    time_t began = time(NULL);
    put_sendmail("#!/bin/sh\n(sleep 2; echo late >outlived) &\nsleep 60\n");
    assert_false(send_text("x", 1, 0.3));
    assert_string_equal(why, "sendmail did not end within 0.3 seconds");
    assert_false(send_text(large, LARGE, 0.3));
    put_sendmail("#!/bin/sh\ncat >mail\nsleep 60\n");
    assert_false(send_text(large, LARGE, 0.3));
    assert_in_range(time(NULL) - began, 0, 20);
    sleep(2);
    assert_false(path_exists("outlived"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        TEST(a_mail_has_its_headers),
        TEST(a_header_has_one_line),
        TEST(one_that_fails_is_told),
        TEST(one_that_hangs_is_ended),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
