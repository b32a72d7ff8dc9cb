/* What bulk creation is measured against: the same keys, certificates and files, and nothing else.
 *
 *   bare_things ec COUNT PROCESSES FOLDER FILES
 *       Each: an EC P-256 key; a certificate for it with the fields and extensions of a thing's,
 *       signed by an RSA-2048 authority; both written as PEM and as DER; and the files that FILES
 *       lists ("SIZE PATH" a line, the thing's name as "@" in PATH), below FOLDER.
 *   bare_things rsa COUNT PROCESSES
 *       Each: EVP_RSA_gen(2048), and nothing else.
 *
 * It prints the seconds that it took. It calls the interfaces of OpenSSL that generator/pki/ calls,
 * the cheapest way that we know, without looking at what they are given and without records. Files
 * are written under their own names and flushed by one syncfs() for a group of things. */
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
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
    HOUR = 60 * 60,
    YEAR = 365 * 24 * HOUR
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

/* --- certificates --- */

static void add_name(X509_NAME *name, int attribute, const char *value)
{
    must(X509_NAME_add_entry_by_NID(name, attribute, MBSTRING_UTF8, (const unsigned char *)value,
                                    -1, -1, 0),
         "name");
}

static void add_extensions(X509 *issuer, X509 *certificate, size_t count,
                           const char *const extensions[][2])
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        X509_EXTENSION *extension =
            X509V3_EXT_conf_nid(NULL, &context, OBJ_sn2nid(extensions[i][0]), extensions[i][1]);
        must(extension && X509_add_ext(certificate, extension, -1), "add an extension");
        X509_EXTENSION_free(extension);
    }
}

/* All of it but subject, key and extensions. issuer: NULL for the one that signs itself. */
static X509 *begin_certificate(const X509_NAME *issuer, int years)
{
    unsigned char serial[16];
    X509 *certificate = X509_new();
    must(certificate && RAND_bytes(serial, sizeof serial) == 1, "begin a certificate");
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    must(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) &&
             X509_set_version(certificate, X509_VERSION_3) &&
             X509_gmtime_adj(X509_getm_notBefore(certificate), -HOUR) &&
             X509_gmtime_adj(X509_getm_notAfter(certificate), (long)years * YEAR) &&
             (!issuer || X509_set_issuer_name(certificate, issuer)),
         "fill a certificate");
    BN_free(number);
    return certificate;
}

static X509 *make_authority(EVP_PKEY *key)
{
    static const char *const extensions[][2] = {{"basicConstraints", "critical,CA:TRUE,pathlen:0"},
                                                {"keyUsage", "critical,keyCertSign,cRLSign"},
                                                {"subjectKeyIdentifier", "hash"}};
    X509 *certificate = begin_certificate(NULL, 20);
    add_name(X509_get_subject_name(certificate), NID_commonName, "Sensorforge authority of bench");
    must(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) &&
             X509_set_pubkey(certificate, key),
         "fill the authority");
    add_extensions(certificate, certificate, sizeof extensions / sizeof *extensions, extensions);
    must(X509_sign(certificate, key, EVP_sha256()) > 0, "sign the authority");
    return certificate;
}

static X509 *make_certificate(EVP_PKEY *key, const char *name, X509 *authority, EVP_PKEY *signer)
{
    static const char *const extensions[][2] = {{"basicConstraints", "critical,CA:FALSE"},
                                                {"keyUsage", "critical,digitalSignature"},
                                                {"extendedKeyUsage", "clientAuth"},
                                                {"subjectKeyIdentifier", "hash"},
                                                {"authorityKeyIdentifier", "keyid:always"}};
    unsigned char *point = NULL;
    X509 *certificate = begin_certificate(X509_get_subject_name(authority), 10);
    size_t length = EVP_PKEY_get1_encoded_public_key(key, &point);
    must(length && X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate),
                                          OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
                                          OBJ_nid2obj(NID_X9_62_prime256v1), point, (int)length),
         "set a key");
    add_name(X509_get_subject_name(certificate), NID_organizationalUnitName, "esp32air");
    add_name(X509_get_subject_name(certificate), NID_commonName, name);
    add_extensions(authority, certificate, sizeof extensions / sizeof *extensions, extensions);
    must(X509_sign(certificate, signer, EVP_sha256()) > 0, "sign");
    return certificate;
}

/* Both as PEM and as DER; the bytes themselves go nowhere, files have the sizes of FILES. */
static void encode(EVP_PKEY *key, X509 *certificate)
{
    unsigned char *der = NULL, *key_der = NULL;
    size_t length = 0;
    BIO *pem = BIO_new(BIO_s_mem());
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", "X9.62", NULL);
    must(pem && PEM_write_bio_X509(pem, certificate) &&
             PEM_write_bio_PKCS8PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) &&
             i2d_X509(certificate, &der) > 0 && encoder &&
             OSSL_ENCODER_to_data(encoder, &key_der, &length),
         "encode");
    OSSL_ENCODER_CTX_free(encoder);
    OPENSSL_clear_free(key_der, length);
    OPENSSL_free(der);
    BIO_free(pem);
}

/* --- files --- */

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

static void make_ec(EVP_PKEY *signer, size_t first, size_t count, size_t stride)
{
    X509 *authority = make_authority(signer);
    size_t in_group = 0;
    for (size_t i = first; i < count; i += stride) {
        char name[32];
        snprintf(name, sizeof name, "thing%zu", i);
        EVP_PKEY *key = EVP_EC_gen("P-256");
        must(key, "make a key");
        X509 *certificate = make_certificate(key, name, authority, signer);
        encode(key, certificate);
        write_files(i);
        X509_free(certificate);
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
