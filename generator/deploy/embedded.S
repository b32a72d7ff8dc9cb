/* The policy of an operator of the target aws. */
#include "common/base/embed.inc"

    .section .rodata
    EMBED(operator_policy, "docs/operator-policy.json")
    .section .note.GNU-stack, "", %progbits
