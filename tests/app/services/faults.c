/* Makes writes, syncs and renames below one folder fail, for tests. Loaded by LD_PRELOAD.
 *
 * FAULT_FOLDER  only files whose path begins with it count
 * FAULT_AT      number of the call that is hit, from 1; 0: none (the calls are only counted)
 * FAULT_MODE    fail: this call fails (EIO); full: this and all later ones fail (ENOSPC);
 *               cut: all that was written and not synced is taken back, and the process ends
 * FAULT_COUNT   file into which the number of calls is written at the end
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

struct change { /* of a file since its last sync: what a power cut takes back */
    char path[PATH_MAX];
    off_t offset, size;
    size_t length;
    char *before;
};
static struct change *changes;
static size_t n_changes;
static long calls;
static int busy;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return 1;
}

static int counts(const char *path) {
    const char *folder = getenv("FAULT_FOLDER");
    return folder && !busy && !strncmp(path, folder, strlen(folder)) && !strstr(path, "-shm");
}

static void remember(int fd, const char *path, off_t offset, size_t length) {
    struct stat status;
    if (fstat(fd, &status)) return;
    changes = realloc(changes, (n_changes + 1) * sizeof *changes);
    struct change *c = &changes[n_changes++];
    strcpy(c->path, path);
    c->offset = offset, c->length = length, c->size = status.st_size;
    c->before = malloc(length ? length : 1);
    int reader = open(path, O_RDONLY);
    ssize_t got = reader < 0 ? 0 : pread(reader, c->before, length, offset);
    c->length = got > 0 ? (size_t)got : 0;
    if (reader >= 0) close(reader);
}

static void cut(void) {
    busy = 1;
    while (n_changes) {
        struct change *c = &changes[--n_changes];
        int fd = open(c->path, O_WRONLY);
        if (fd < 0) continue;
        if (c->length) (void)!REAL(pwrite)(fd, c->before, c->length, c->offset);
        (void)!REAL(ftruncate)(fd, c->size);
        close(fd);
    }
    _exit(9);
}

static int hit(void) {
    long at = atol(getenv("FAULT_AT") ? getenv("FAULT_AT") : "0");
    const char *mode = getenv("FAULT_MODE") ? getenv("FAULT_MODE") : "fail";
    calls++;
    const char *count = getenv("FAULT_COUNT");
    if (count) {
        busy = 1;
        FILE *file = fopen(count, "w");
        if (file) fprintf(file, "%ld", calls), fclose(file);
        busy = 0;
    }
    if (!at || calls < at || (calls > at && strcmp(mode, "full"))) return 0;
    if (!strcmp(mode, "cut")) cut();
    errno = strcmp(mode, "full") ? EIO : ENOSPC;
    return 1;
}

static int before_write(int fd, off_t offset, size_t length) {
    char path[PATH_MAX];
    if (!path_of(fd, path) || !counts(path)) return 0;
    if (hit()) return 1;
    remember(fd, path, offset, length);
    return 0;
}

static int before_sync(int fd) {
    char path[PATH_MAX];
    if (!path_of(fd, path) || !counts(path)) return 0;
    if (hit()) return 1;
    size_t kept = 0;
    for (size_t i = 0; i < n_changes; i++)
        if (strcmp(changes[i].path, path)) changes[kept++] = changes[i];
    n_changes = kept;
    return 0;
}

ssize_t write(int fd, const void *b, size_t n) {
    return before_write(fd, lseek(fd, 0, SEEK_CUR), n) ? -1 : REAL(write)(fd, b, n);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
    return before_write(fd, o, n) ? -1 : REAL(pwrite)(fd, b, n, o);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
    return before_write(fd, o, n) ? -1 : REAL(pwrite64)(fd, b, n, o);
}
int ftruncate(int fd, off_t n) { return before_write(fd, n, 0) ? -1 : REAL(ftruncate)(fd, n); }
int ftruncate64(int fd, off64_t n) { return before_write(fd, n, 0) ? -1 : REAL(ftruncate64)(fd, n); }
int fsync(int fd) { return before_sync(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return before_sync(fd) ? -1 : REAL(fdatasync)(fd); }
int rename(const char *from, const char *to) {
    return counts(to) && hit() ? -1 : REAL(rename)(from, to);
}
