/* What bulk creation is measured against: the same keys, signatures and files, and nothing else.
 *
 *   bare_things ec COUNT PROCESSES FOLDER FILES   an EC P-256 key, its signature (of a request),
 * and an RSA-2048 signature (of a certificate) each, and files as FILES lists them ("SIZE PATH" a
 * line, the thing's name as "@" in PATH), below FOLDER bare_things rsa COUNT PROCESSES
 * EVP_RSA_gen(2048) each, and nothing else
 *
 * It prints the seconds that it took. Signatures are made with EVP directly, over bytes of a
 * typical length: no request or certificate is built, read or checked, which makes this the faster
 * of two possible peers. The contexts for making keys and for the authority are set up once. Files
 * are written under their own names and flushed by one syncfs() for a group of things. */
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    GROUP = 512,
    MOST_FILES = 64,
    MOST_PROCESSES = 64,
    LARGEST_FILE = 1 << 16,
    REQUEST = 200,    /* bytes of what the thing signs */
    CERTIFICATE = 380 /* and of what the authority signs */
};

struct file {
    size_t size;
    char *before, *after; /* the path around the thing's name */
};

static unsigned char bytes[LARGEST_FILE];
static struct file files[MOST_FILES];
static size_t file_count;

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "bare_things: cannot %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void read_files(const char *path)
{
    char line[512];
    FILE *list = fopen(path, "r");
    must(list, "read the list of files");
    while (file_count < MOST_FILES && fgets(line, sizeof line, list)) {
        char *end, *name = strchr(line, '@');
        line[strcspn(line, "\n")] = '\0';
        files[file_count].size = strtoul(line, &end, 10);
        must(name && *end == ' ' && files[file_count].size <= LARGEST_FILE, "read a line");
        *name = '\0';
        files[file_count].before = strdup(end + 1);
        files[file_count++].after = strdup(name + 1);
    }
    fclose(list);
}

static void sign(EVP_PKEY *key, const EVP_MD *digest, size_t length)
{
    unsigned char signature[512];
    size_t room = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context && EVP_DigestSignInit(context, NULL, digest, NULL, key) > 0 &&
             EVP_DigestSign(context, signature, &room, bytes, length) > 0,
         "sign");
    EVP_MD_CTX_free(context);
}

static void write_files(size_t number)
{
    char path[1024], folder[1024] = "";
    for (size_t i = 0; i < file_count; i++) {
        int length = snprintf(path, sizeof path, "%sthing%zu", files[i].before, number);
        if (strcmp(folder, path) != 0)
            must(mkdir(path, 0700) == 0, "make a folder");
        strcpy(folder, path); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy): same size */
        snprintf(path + length, sizeof path - (size_t)length, "%s", files[i].after);
        int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        must(file >= 0 && write(file, bytes, files[i].size) == (ssize_t)files[i].size &&
                 close(file) == 0,
             "write a file");
    }
}

static void flush(void)
{
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(here >= 0 && syncfs(here) == 0, "flush");
    close(here);
}

static void make_ec(EVP_PKEY *authority, size_t first, size_t count, size_t stride)
{
    EVP_PKEY *parameters = NULL;
    EVP_MD *digest = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    EVP_PKEY_CTX *curve = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    must(digest && curve && EVP_PKEY_paramgen_init(curve) > 0 &&
             EVP_PKEY_CTX_set_ec_paramgen_curve_nid(curve, NID_X9_62_prime256v1) > 0 &&
             EVP_PKEY_paramgen(curve, &parameters) > 0,
         "find the curve");
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_pkey(NULL, parameters, NULL);
    must(maker && EVP_PKEY_keygen_init(maker) > 0, "make keys");
    size_t in_group = 0;
    for (size_t i = first; i < count; i += stride) {
        EVP_PKEY *key = NULL;
        must(EVP_PKEY_keygen(maker, &key) > 0, "make a key");
        sign(key, digest, REQUEST);
        sign(authority, digest, CERTIFICATE);
        write_files(i);
        EVP_PKEY_free(key);
        if (++in_group % GROUP == 0)
            flush();
    }
    flush();
}

static void make_rsa(size_t first, size_t count, size_t stride)
{
    for (size_t i = first; i < count; i += stride) {
        EVP_PKEY *key = EVP_RSA_gen(2048);
        must(key, "make a key");
        EVP_PKEY_free(key);
    }
}

int main(int word_count, char **words)
{
    bool ec = word_count == 6 && strcmp(words[1], "ec") == 0;
    bool rsa = word_count == 4 && strcmp(words[1], "rsa") == 0;
    must(ec || rsa, "go on: usage: bare_things ec|rsa COUNT PROCESSES [FOLDER FILES]");
    size_t count = strtoul(words[2], NULL, 10), processes = strtoul(words[3], NULL, 10);
    must(processes > 0 && processes <= MOST_PROCESSES, "start so many processes");
    EVP_PKEY *authority = ec ? EVP_RSA_gen(2048) : NULL;
    must(!ec || authority, "make the authority");
    if (ec) {
        read_files(words[5]);
        must(chdir(words[4]) == 0, "enter the folder");
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 256);
    double began = now();
    for (size_t i = 0; i < processes; i++) {
        pid_t child = fork();
        must(child >= 0, "start a process");
        if (child)
            continue;
        if (ec)
            make_ec(authority, i, count, processes);
        else
            make_rsa(i, count, processes);
        _exit(0);
    }
    for (size_t i = 0; i < processes; i++) {
        int result;
        must(wait(&result) > 0 && WIFEXITED(result) && WEXITSTATUS(result) == 0, "finish");
    }
    printf("%.3f\n", now() - began);
    return 0;
}
