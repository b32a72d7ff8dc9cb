/* measure TIMES COMMAND...: runs a command that often, one after the other, with its output thrown
 * away, and prints the median of the wall times in milliseconds and the most memory that one of
 * them had in KiB.
 *
 * A program of its own, because a process begins its count of memory with what its parent had: one
 * started from Python never has less than Python. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_TIMES = 10000 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static _Noreturn void become(char **command)
{
    int nowhere = open("/dev/null", O_RDWR);
    dup2(nowhere, STDIN_FILENO);
    dup2(nowhere, STDOUT_FILENO);
    execvp(command[0], command);
    fprintf(stderr, "measure: cannot run %s: %s\n", command[0], strerror(errno));
    _exit(127);
}

static int ascending(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

int main(int count, char **words)
{
    static double times[MOST_TIMES];
    long wanted = count > 2 ? strtol(words[1], NULL, 10) : 0, largest = 0;
    if (wanted < 1 || wanted > MOST_TIMES) {
        fputs("usage: measure TIMES COMMAND...\n", stderr);
        return 2;
    }
    for (long i = 0; i < wanted; i++) {
        struct rusage used;
        int result;
        double began = now();
        pid_t child = fork();
        if (child == 0)
            become(words + 2);
        if (child < 0 || wait4(child, &result, 0, &used) < 0 || !WIFEXITED(result) ||
            WEXITSTATUS(result)) {
            fprintf(stderr, "measure: %s failed\n", words[2]);
            return 1;
        }
        times[i] = now() - began;
        largest = used.ru_maxrss > largest ? used.ru_maxrss : largest;
    }
    qsort(times, (size_t)wanted, sizeof *times, ascending);
    printf("%.3f %ld\n", times[wanted / 2], largest);
    return 0;
}
