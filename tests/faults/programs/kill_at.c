/* Ends a process by SIGKILL at its Nth change of the files under a directory. Loaded before the C library (LD_PRELOAD).
 *
 *   KILL_UNDER  the directory, an absolute path; without it nothing happens
 *   KILL_AT     N, from 1; 0: none, all are listed
 *   KILL_HOW    before (the call is not made), after (it is), half (half of what it writes is)
 *   KILL_LIST   a file that gets a line a change: what it was, and of which path or descriptor
 *   KILL_RANK   only the rank of that number of an MPI job
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 4096

static atomic_long made;
static atomic_char watched[MOST_FILES];
static __thread int inside; /* the list is written by calls that are not to be counted */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int concerns_us(void) {
  const char *rank = getenv("KILL_RANK"), *mine = getenv("OMPI_COMM_WORLD_RANK");
  return getenv("KILL_UNDER") != NULL && (rank == NULL || (mine != NULL && strcmp(rank, mine) == 0));
}

static int is_under(const char* path) {
  const char* directory = getenv("KILL_UNDER");
  return path != NULL && directory != NULL && strncmp(path, directory, strlen(directory)) == 0;
}

static int is_watched(int file) { return file >= 0 && file < MOST_FILES && watched[file]; }

static void list(long number, const char* what, const char* path, int file) {
  const char* name = getenv("KILL_LIST");
  if (name == NULL) return;
  char line[512];
  const int size = path != NULL ? snprintf(line, sizeof line, "%ld %s %s\n", number, what, path)
                                : snprintf(line, sizeof line, "%ld %s %d\n", number, what, file);
  const int out = (int)REAL(open)(name, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (out < 0) return;
  if (REAL(write)(out, line, (size_t)size) < 0) abort();
  REAL(close)(out);
}

static void end_process(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* Counts a change. "" where the process is not to end by it, else KILL_HOW. */
static const char* count(const char* what, const char* path, int file) {
  if (inside || !concerns_us()) return "";
  inside = 1;
  const long number = atomic_fetch_add(&made, 1) + 1;
  list(number, what, path, file);
  inside = 0;
  const char *at = getenv("KILL_AT"), *how = getenv("KILL_HOW");
  if (at == NULL || atol(at) != number) return "";
  if (how == NULL || strcmp(how, "before") == 0) end_process();
  return how;
}

#define CHANGE(what, path, file, call)         \
  do {                                         \
    const char* how = count(what, path, file); \
    const __typeof__(call) result = (call);    \
    if (*how != '\0') end_process();           \
    return result;                             \
  } while (0)

static int opened(int file, const char* path, int parent) {
  if (file >= 0 && file < MOST_FILES) watched[file] = (char)(is_under(path) || (path[0] != '/' && is_watched(parent)));
  return file;
}

static int open_any(int parent, const char* path, int flags, mode_t mode) {
  const int ours = is_under(path) || (path[0] != '/' && is_watched(parent));
  const char* how = ours && (flags & O_CREAT) ? count("create", path, -1) : "";
  const int file = opened(REAL(openat)(parent, path, flags, mode), path, parent);
  if (*how != '\0') end_process();
  return file;
}

#define MODE(flags, mode)                \
  mode_t mode = 0;                       \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list more;                        \
    va_start(more, flags);               \
    mode = va_arg(more, mode_t);         \
    va_end(more);                        \
  }

int open(const char* path, int flags, ...) {
  MODE(flags, mode)
  return open_any(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  MODE(flags, mode)
  return open_any(AT_FDCWD, path, flags, mode);
}
int openat(int parent, const char* path, int flags, ...) {
  MODE(flags, mode)
  return open_any(parent, path, flags, mode);
}
int openat64(int parent, const char* path, int flags, ...) {
  MODE(flags, mode)
  return open_any(parent, path, flags, mode);
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  if (!is_watched(file)) return REAL(pwrite)(file, bytes, size, offset);
  const char* how = count("write", NULL, file);
  const ssize_t written = REAL(pwrite)(file, bytes, strcmp(how, "half") == 0 ? size / 2 : size, offset);
  if (*how != '\0') end_process();
  return written;
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) { return pwrite(file, bytes, size, offset); }
ssize_t write(int file, const void* bytes, size_t size) {
  if (!is_watched(file)) return REAL(write)(file, bytes, size);
  const char* how = count("write", NULL, file);
  const ssize_t written = REAL(write)(file, bytes, strcmp(how, "half") == 0 ? size / 2 : size);
  if (*how != '\0') end_process();
  return written;
}

/* Half of a vector is half of its parts, and half of the part in the middle where there is one alone. */
ssize_t writev(int file, const struct iovec* parts, int count_of_parts) {
  if (!is_watched(file)) return REAL(writev)(file, parts, count_of_parts);
  const char* how = count("write", NULL, file);
  if (strcmp(how, "half") == 0) {
    if (count_of_parts > 1)
      REAL(writev)(file, parts, count_of_parts / 2);
    else if (REAL(write)(file, parts[0].iov_base, parts[0].iov_len / 2) < 0)
      abort();
    end_process();
  }
  const ssize_t written = REAL(writev)(file, parts, count_of_parts);
  if (*how != '\0') end_process();
  return written;
}

/* How std::filesystem copies a file. */
ssize_t sendfile(int file, int from, off_t* offset, size_t size) {
  if (!is_watched(file)) return REAL(sendfile)(file, from, offset, size);
  const char* how = count("write", NULL, file);
  const ssize_t written = REAL(sendfile)(file, from, offset, strcmp(how, "half") == 0 ? size / 2 : size);
  if (*how != '\0') end_process();
  return written;
}

int close(int file) {
  if (!is_watched(file)) return REAL(close)(file);
  watched[file] = 0;
  CHANGE("close", NULL, file, REAL(close)(file));
}
int fdatasync(int file) {
  if (!is_watched(file)) return REAL(fdatasync)(file);
  CHANGE("fdatasync", NULL, file, REAL(fdatasync)(file));
}
int fsync(int file) {
  if (!is_watched(file)) return REAL(fsync)(file);
  CHANGE("fsync", NULL, file, REAL(fsync)(file));
}
int fallocate(int file, int mode, off_t offset, off_t size) {
  if (!is_watched(file)) return REAL(fallocate)(file, mode, offset, size);
  CHANGE("fallocate", NULL, file, REAL(fallocate)(file, mode, offset, size));
}
int fallocate64(int file, int mode, off64_t offset, off64_t size) { return fallocate(file, mode, offset, size); }
int ftruncate(int file, off_t size) {
  if (!is_watched(file)) return REAL(ftruncate)(file, size);
  CHANGE("ftruncate", NULL, file, REAL(ftruncate)(file, size));
}
int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }
int rename(const char* from, const char* to) {
  if (!is_under(to)) return REAL(rename)(from, to);
  CHANGE("rename", to, -1, REAL(rename)(from, to));
}
int unlink(const char* path) {
  if (!is_under(path)) return REAL(unlink)(path);
  CHANGE("unlink", path, -1, REAL(unlink)(path));
}
int unlinkat(int parent, const char* path, int flags) {
  if (!is_under(path) && !is_watched(parent)) return REAL(unlinkat)(parent, path, flags);
  CHANGE("unlinkat", path, -1, REAL(unlinkat)(parent, path, flags));
}
int mkdir(const char* path, mode_t mode) {
  if (!is_under(path)) return REAL(mkdir)(path, mode);
  CHANGE("mkdir", path, -1, REAL(mkdir)(path, mode));
}
int rmdir(const char* path) {
  if (!is_under(path)) return REAL(rmdir)(path);
  CHANGE("rmdir", path, -1, REAL(rmdir)(path));
}
int remove(const char* path) {
  if (!is_under(path)) return REAL(remove)(path);
  CHANGE("remove", path, -1, REAL(remove)(path));
}
