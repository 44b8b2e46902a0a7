/* The table of sft_mpi.h, filled by whatever MPI this file is compiled against. It needs that header and <mpi.h>, and nothing else. */
#include "sft_mpi.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>

/* Handles are pointers in some libraries and numbers in others; none of them is 0. */
static MPI_Comm comm_of(SftComm comm) { return comm == 0 ? MPI_COMM_NULL : (MPI_Comm)comm; }
static SftComm handle_of(MPI_Comm comm) { return comm == MPI_COMM_NULL ? 0 : (SftComm)comm; }
static MPI_Win win_of(SftWindow window) { return window == 0 ? MPI_WIN_NULL : (MPI_Win)window; }

/* A new communicator, handed on; its errors are returned. */
static int hand_on(int error, MPI_Comm made, SftComm* into) {
  *into = 0;
  if (error != MPI_SUCCESS) return error;
  *into = handle_of(made);
  return made == MPI_COMM_NULL ? MPI_SUCCESS : MPI_Comm_set_errhandler(made, MPI_ERRORS_RETURN);
}

static int start(int* takes_turns_of_threads) {
  int started = 0, provided = MPI_THREAD_SERIALIZED;
  int error = MPI_Initialized(&started);
  if (error == MPI_SUCCESS && started) error = MPI_Query_thread(&provided);
  if (error == MPI_SUCCESS && !started) error = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
  *takes_turns_of_threads = provided >= MPI_THREAD_SERIALIZED;
  return error == MPI_SUCCESS ? MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN) : error;
}

static int is_started(int* yes) { return MPI_Initialized(yes); }

static int end(void) {
  int ended = 0;
  const int error = MPI_Finalized(&ended);
  return error != MPI_SUCCESS || ended ? error : MPI_Finalize();
}

/* MPI writes as much as it likes, up to a size that differs from library to library. */
static void copy_text(const char* whole, char* text, int bytes) {
  const size_t room = (size_t)bytes - 1, length = strlen(whole);
  const size_t taken = length < room ? length : room;
  memcpy(text, whole, taken);
  text[taken] = '\0';
}

static int error_text(int code, char* text, int bytes) {
  char whole[MPI_MAX_ERROR_STRING + 1] = {0};
  int length = 0;
  const int error = MPI_Error_string(code, whole, &length);
  copy_text(whole, text, bytes);
  return error;
}

static int library_version(char* text, int bytes) {
  char whole[MPI_MAX_LIBRARY_VERSION_STRING + 1] = {0};
  int length = 0;
  const int error = MPI_Get_library_version(whole, &length);
  copy_text(whole, text, bytes);
  return error;
}

static SftComm world(void) { return handle_of(MPI_COMM_WORLD); }
static int rank_in(SftComm comm, int* rank) { return MPI_Comm_rank(comm_of(comm), rank); }
static int size_of(SftComm comm, int* size) { return MPI_Comm_size(comm_of(comm), size); }

static int copy(SftComm comm, SftComm* copy) {
  MPI_Comm made = MPI_COMM_NULL;
  const int error = MPI_Comm_dup(comm_of(comm), &made);
  return hand_on(error, made, copy);
}

static int split(SftComm comm, int color, int key, SftComm* part) {
  MPI_Comm made = MPI_COMM_NULL;
  const int error = MPI_Comm_split(comm_of(comm), color == SFT_NOWHERE ? MPI_UNDEFINED : color, key, &made);
  return hand_on(error, made, part);
}

static int split_by_host(SftComm comm, SftComm* host) {
  MPI_Comm made = MPI_COMM_NULL;
  const int error = MPI_Comm_split_type(comm_of(comm), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &made);
  return hand_on(error, made, host);
}

static int free_comm(SftComm* comm) {
  MPI_Comm freed = comm_of(*comm);
  *comm = 0;
  return MPI_Comm_free(&freed);
}

static int barrier(SftComm comm) { return MPI_Barrier(comm_of(comm)); }
static int broadcast(SftComm comm, void* bytes, int count, int root) {
  return MPI_Bcast(bytes, count, MPI_BYTE, root, comm_of(comm));
}
static int all_gather(SftComm comm, const void* mine, int bytes, void* all) {
  return MPI_Allgather(mine, bytes, MPI_BYTE, all, bytes, MPI_BYTE, comm_of(comm));
}
/* Messages that are sent without being asked for (65,536 bytes over Open MPI's TCP, less their header), all under way at once. Of larger
   ones the request of each side waits behind the values of the other: both directions then share what each of them could have. */
enum { MESSAGE = 1 << 15 };

static int messages_of(int bytes) { return (bytes + MESSAGE - 1) / MESSAGE; }
static int length_of(int bytes, int message) {
  const int left = bytes - message * MESSAGE;
  return left < MESSAGE ? left : MESSAGE;
}

static int wait_for(int count, MPI_Request* requests) {
  int error = MPI_SUCCESS;
  for (int i = 0; i < count && error == MPI_SUCCESS; ++i) error = MPI_Wait(&requests[i], MPI_STATUS_IGNORE);
  return error;
}

static int exchange(SftComm handle, const void* mine, const int* bytes, const int* begins, void* theirs, const int* their_bytes, const int* their_begins) {
  const MPI_Comm comm = comm_of(handle);
  int me = 0, ranks = 0, most = 0, begun = 0;
  int error = MPI_Comm_rank(comm, &me);
  if (error == MPI_SUCCESS) error = MPI_Comm_size(comm, &ranks);
  for (int rank = 0; rank < ranks; ++rank) most += messages_of(bytes[rank]) + messages_of(their_bytes[rank]);
  MPI_Request* const requests = malloc(sizeof(MPI_Request) * (size_t)(most + 1));
  if (requests == NULL) return MPI_ERR_NO_MEM;
  for (int away = 1; away < ranks && error == MPI_SUCCESS; ++away) {
    const int from = (me + ranks - away) % ranks, to = (me + away) % ranks;
    for (int i = 0; i < messages_of(their_bytes[from]) && error == MPI_SUCCESS; ++i)
      error = MPI_Irecv((char*)theirs + their_begins[from] + (size_t)i * MESSAGE, length_of(their_bytes[from], i), MPI_BYTE, from, i, comm, &requests[begun++]);
    for (int i = 0; i < messages_of(bytes[to]) && error == MPI_SUCCESS; ++i)
      error = MPI_Isend((const char*)mine + begins[to] + (size_t)i * MESSAGE, length_of(bytes[to], i), MPI_BYTE, to, i, comm, &requests[begun++]);
  }
  if (error == MPI_SUCCESS) error = wait_for(begun, requests);
  free(requests);
  return error;
}

static int share(SftComm host, size_t bytes, void** base, SftWindow* window) {
  MPI_Win made = MPI_WIN_NULL;
  int rank = 0, unit = 0;
  MPI_Aint size = 0;
  int error = MPI_Comm_rank(comm_of(host), &rank);
  if (error == MPI_SUCCESS)
    error = MPI_Win_allocate_shared(rank == 0 ? (MPI_Aint)bytes : 0, 1, MPI_INFO_NULL, comm_of(host), base, &made);
  if (error == MPI_SUCCESS) error = MPI_Win_shared_query(made, 0, &size, &unit, base);
  if (error == MPI_SUCCESS) error = MPI_Win_lock_all(MPI_MODE_NOCHECK, made);
  *window = error == MPI_SUCCESS ? (SftWindow)made : 0;
  return error;
}

static int sync_window(SftWindow window) { return MPI_Win_sync(win_of(window)); }

static int free_window(SftWindow* window) {
  MPI_Win freed = win_of(*window);
  *window = 0;
  const int error = MPI_Win_unlock_all(freed);
  return error != MPI_SUCCESS ? error : MPI_Win_free(&freed);
}

const struct SftMpi* sft_mpi(void) {
  static const struct SftMpi table = {
      .version = SFT_MPI_VERSION,
      .start = start,
      .is_started = is_started,
      .end = end,
      .error_text = error_text,
      .library_version = library_version,
      .world = world,
      .rank = rank_in,
      .size = size_of,
      .copy = copy,
      .split = split,
      .split_by_host = split_by_host,
      .free_comm = free_comm,
      .barrier = barrier,
      .broadcast = broadcast,
      .all_gather = all_gather,
      .exchange = exchange,
      .share = share,
      .sync = sync_window,
      .free_window = free_window,
  };
  return &table;
}
