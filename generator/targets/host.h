/* Whether boards can reach this machine by local.host of system.yaml: it goes into each package, and a
 * board that looks for the wrong name never reports. */
#ifndef GENERATOR_TARGETS_HOST_H
#define GENERATOR_TARGETS_HOST_H

/* What can be said without asking anybody. NULL: nothing; otherwise one sentence. The caller frees it.
 * deaf: a platform whose boards do not resolve names that end in .local by themselves (platform.yaml);
 * NULL: there is none. */
char *host_fault(const char *host, const char *deaf);

/* The same, after the resolver of this machine was asked, for seconds at most. *shown: what the name stands
 * for ("192.168.1.5, this machine"); freed by the caller. */
char *host_look(const char *host, const char *deaf, char **shown);

/* What to do about it, with an address of this machine; the caller frees it. */
char *host_advice(void);

#endif
