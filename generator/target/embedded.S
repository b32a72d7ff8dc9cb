/* The policy of an operator of the target aws. */
#include "../../common/embedded.h"

    .section .rodata
    EMBED(operator_policy, "docs/operator-policy.json")
    .section .note.GNU-stack, "", %progbits
