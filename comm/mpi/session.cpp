#include "comm/mpi/session.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "base/errors.h"
#include "base/text.h"
#include "comm/mpi/library/library.h"
#include "comm/mpi/mpi.h"
#include "comm/mpi/one_node.h"

namespace sft::mpi {
namespace {

std::atomic<bool> abandoned{false};

struct Session {
  Session() {
    look_for_no_network_on_one_node();
    look_for_windows_of_shared_memory_alone();
    int takes_turns = 0;
    check(library().start(&takes_turns), "MPI_Init_thread");
    if (takes_turns == 0)
      throw CommError(
          "this MPI was built without threads: MPI_THREAD_SERIALIZED is wanted, ompi_info shows what it has");
  }
  ~Session() {
    if (!abandoned) library().end();
  }
};

}  // namespace

void ensure_started() { static const Session session; }

void abandon() { abandoned = true; }

void check(int result, std::string_view operation, std::source_location where) {
  if (result == 0) return;
  std::array<char, 512> text{};
  library().error_text(result, text.data(), static_cast<int>(text.size()));
  int started = 0, rank = 0;
  library().is_started(&started);
  if (started != 0) library().rank(library().world(), &rank);
  throw CommError(
      concat("rank ", rank, ", ", operation, ": ", text.data(), " (", where.file_name(), ":", where.line(), ")"));
}

std::string library_version() {
  if (!why_no_library().empty()) return concat("none: ", why_no_library());
  std::array<char, 8192> text{};
  check(library().library_version(text.data(), static_cast<int>(text.size())), "MPI_Get_library_version");
  return text.data();
}

std::string library_name() {
  std::string all = library_version();
  if (!why_no_library().empty()) return all;
  all.resize(std::min(all.find_first_of(",\n"), all.size()));
  std::ranges::replace(all, '\t', ' ');
  const auto both_blank = [](char left, char right) { return left == ' ' && right == ' '; };
  all.erase(std::ranges::unique(all, both_blank).begin(), all.end());
  return concat(all, ", ", library_file());
}

}  // namespace sft::mpi
