#include "guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

/* The copy of this thread that is under way. */
static _Thread_local struct {
    volatile bool active;
    sigjmp_buf back;
    const char *from, *until; /* of the mapping */
} copy;

static struct sigaction before;
static int users;

static void on_fault(int number, siginfo_t *info, void *context)
{
    const char *at = info->si_addr;
    (void)context;
    if (copy.active && at >= copy.from && at < copy.until)
        siglongjmp(copy.back, 1);
    sigaction(number, &before, NULL); /* the access is made again, and faults again */
}

void guard_begin(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (!users++)
        sigaction(SIGBUS, &action, &before);
}

void guard_end(void)
{
    if (!--users)
        sigaction(SIGBUS, &before, NULL);
}

bool guard_copy(void *to, const void *from, size_t length)
{
    uint32_t first;
    copy.from = to;
    copy.until = copy.from + length;
    memcpy(&first, from, sizeof first);
    if (sigsetjmp(copy.back, 0)) {
        copy.active = false;
        return false;
    }
    copy.active = true;
    atomic_signal_fence(memory_order_seq_cst); /* the compiler must not copy before, or after */
    memcpy((char *)to + sizeof first, (const char *)from + sizeof first, length - sizeof first);
    atomic_store_explicit((_Atomic uint32_t *)to, first, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    copy.active = false;
    return true;
}
