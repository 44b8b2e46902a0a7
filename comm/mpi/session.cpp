#include "comm/mpi/session.h"

#include <array>
#include <atomic>

#include "base/errors.h"
#include "base/text.h"
#include "comm/mpi/mpi.h"
#include "comm/mpi/one_node.h"

namespace sft::mpi {
namespace {

std::atomic<bool> abandoned{false};

struct Session {
  Session() {
    int started = 0;
    check(MPI_Initialized(&started), "MPI_Initialized");
    if (started) return;
    look_for_no_network_on_one_node();
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
    if (provided < MPI_THREAD_SERIALIZED)
      throw CommError(
          "this MPI was built without threads: MPI_THREAD_SERIALIZED is wanted, ompi_info shows what it has");
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  }
  ~Session() {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (!finalized && !abandoned) MPI_Finalize();
  }
};

}  // namespace

void ensure_started() { static const Session session; }

void abandon() { abandoned = true; }

void check(int result, std::string_view operation, std::source_location where) {
  if (result == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(result, text.data(), &length);
  int started = 0;
  MPI_Initialized(&started);
  int rank = 0;
  if (started) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  throw CommError(concat("rank ", rank, ", ", operation, ": ",
                         std::string_view(text.data(), static_cast<size_t>(length)), " (", where.file_name(), ":",
                         where.line(), ")"));
}

std::string library_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  return text.data();
}

}  // namespace sft::mpi
