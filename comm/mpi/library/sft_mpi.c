/* The table of sft_mpi.h, filled by whatever MPI this file is compiled against. It needs that header and <mpi.h>, and nothing else. */
#include "sft_mpi.h"

#include <mpi.h>
#include <string.h>

static SftCombine* combine_two;

/* Handles are pointers in some libraries and numbers in others; none of them is 0. */
static MPI_Comm comm_of(SftComm comm) { return comm == 0 ? MPI_COMM_NULL : (MPI_Comm)comm; }
static SftComm handle_of(MPI_Comm comm) { return comm == MPI_COMM_NULL ? 0 : (SftComm)comm; }
static MPI_Win win_of(SftWindow window) { return window == 0 ? MPI_WIN_NULL : (MPI_Win)window; }

static MPI_Datatype type_of(enum SftType type) {
  switch (type) {
    case SFT_U8:
      return MPI_UINT8_T;
    case SFT_I32:
      return MPI_INT32_T;
    case SFT_I64:
      return MPI_INT64_T;
    case SFT_F32:
      return MPI_FLOAT;
    case SFT_F64:
      return MPI_DOUBLE;
  }
  return MPI_DATATYPE_NULL;
}

static void combined(void* in, void* inout, int count, MPI_Datatype type, enum SftOperation operation) {
  combine_two(in, inout, count, type == MPI_DOUBLE ? SFT_F64 : SFT_F32, operation);
}
static void combined_min(void* in, void* inout, int* count, MPI_Datatype* type) {
  combined(in, inout, *count, *type, SFT_COMBINED_MIN);
}
static void combined_max(void* in, void* inout, int* count, MPI_Datatype* type) {
  combined(in, inout, *count, *type, SFT_COMBINED_MAX);
}

static int own_operation(MPI_User_function* function, MPI_Op* kept, int* made) {
  const int error = *made ? MPI_SUCCESS : MPI_Op_create(function, 1, kept);
  *made = error == MPI_SUCCESS;
  return error;
}

static int operation_of(enum SftOperation operation, MPI_Op* found) {
  static MPI_Op min, max;
  static int has_min, has_max;
  int error = MPI_SUCCESS;
  switch (operation) {
    case SFT_SUM:
      *found = MPI_SUM;
      break;
    case SFT_MIN:
      *found = MPI_MIN;
      break;
    case SFT_MAX:
      *found = MPI_MAX;
      break;
    case SFT_COMBINED_MIN:
      error = own_operation(combined_min, &min, &has_min);
      *found = min;
      break;
    case SFT_COMBINED_MAX:
      error = own_operation(combined_max, &max, &has_max);
      *found = max;
      break;
  }
  return error;
}

/* A new communicator, handed on; its errors are returned. */
static int hand_on(int error, MPI_Comm made, SftComm* into) {
  *into = 0;
  if (error != MPI_SUCCESS) return error;
  *into = handle_of(made);
  return made == MPI_COMM_NULL ? MPI_SUCCESS : MPI_Comm_set_errhandler(made, MPI_ERRORS_RETURN);
}

static int start(SftCombine* combine, int* takes_turns_of_threads) {
  combine_two = combine;
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
static int all_reduce(SftComm comm, void* values, int count, enum SftType type, enum SftOperation operation) {
  MPI_Op found = MPI_OP_NULL;
  const int error = operation_of(operation, &found);
  return error != MPI_SUCCESS ? error
                              : MPI_Allreduce(MPI_IN_PLACE, values, count, type_of(type), found, comm_of(comm));
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
      .all_reduce = all_reduce,
      .share = share,
      .sync = sync_window,
      .free_window = free_window,
  };
  return &table;
}
