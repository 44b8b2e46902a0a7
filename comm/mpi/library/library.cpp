#include "comm/mpi/library/library.h"

#include <dlfcn.h>
#include <link.h>

#include <cstdlib>

#include "base/errors.h"
#include "base/text.h"

namespace sft::mpi {
namespace {

const LibraryKind kOpenMpi = {"Open MPI", "libsft_mpi_openmpi.so", {"libmpi.so.40"}};
const LibraryKind kMpich = {"MPICH", "libsft_mpi_mpich.so", {"libmpi.so.12", "libmpich.so.12"}};

struct Found {
  const SftMpi* table = nullptr;
  std::string reason = {};  // why there is none
  bool has_mpi = false;     // MPI itself was opened: another would find its names taken
  std::string file = {};    // what was opened
};

std::string loader_error() {
  const char* text = dlerror();
  return text != nullptr ? text : "unknown reason";
}

// Of what dlopen() gave.
std::string file_of(void* opened) {
  link_map* map = nullptr;
  return ::dlinfo(opened, RTLD_DI_LINKMAP, &map) == 0 ? map->l_name : "";
}

// One that is linked with an MPI brings it, for all to see, as MPI's own parts want it.
Found table_of(const char* file) {
  void* const opened = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
  if (opened == nullptr) return {.reason = loader_error()};
  const auto table = reinterpret_cast<SftMpiTable*>(dlsym(opened, SFT_MPI_TABLE));
  if (table == nullptr) return {.reason = concat(file, " has no function ", SFT_MPI_TABLE)};
  if (table()->version != SFT_MPI_VERSION)
    return {.reason = concat(file, " was made for another version of this program: compile sft_mpi.c anew")};
  return {.table = table(), .file = file_of(opened)};
}

// MPI itself comes first: our library names none, and takes the one that is there.
Found open_kind(const LibraryKind& kind) {
  Found found;
  for (const char* file : kind.libraries) {
    if (void* const opened = dlopen(file, RTLD_NOW | RTLD_GLOBAL); opened != nullptr) {
      found = table_of(kind.table);
      found.has_mpi = true;
      found.file = file_of(opened);
      return found;
    }
    const std::string error = loader_error();
    if (found.reason.empty()) found.reason = error;
  }
  return found;
}

Found open_any() {
  if (const char* named = std::getenv("SFT_MPI"); named != nullptr && *named != '\0') return table_of(named);
  std::vector<std::string> reasons;
  for (const LibraryKind& kind : kinds_to_try([](const char* name) { return std::getenv(name); })) {
    Found found = open_kind(kind);
    if (found.table != nullptr || found.has_mpi) return found;
    reasons.push_back(concat(kind.name, ": ", found.reason));
  }
  return {.reason = join(reasons, "; ")};
}

const Found& opened() {
  static const Found found = open_any();
  return found;
}

}  // namespace

// PMIx is how Open MPI's ranks find one another; MPICH's launcher and `srun --mpi=pmi2` tell theirs by PMI_RANK.
std::vector<LibraryKind> kinds_to_try(const std::function<const char*(const char*)>& environment) {
  const auto has = [&](const char* name) { return environment(name) != nullptr; };
  if (has("PMI_RANK") && !has("OMPI_COMM_WORLD_RANK") && !has("PMIX_RANK")) return {kMpich};
  if (has("OMPI_COMM_WORLD_RANK")) return {kOpenMpi};
  return {kOpenMpi, kMpich};
}

std::string why_no_library() { return opened().reason; }

std::string library_file() { return opened().table != nullptr ? opened().file : ""; }

const SftMpi& library() {
  if (opened().table == nullptr)
    throw CommError(concat("no MPI library can be opened (", opened().reason,
                           "): load the module of the MPI whose mpirun or srun started this, or set LD_LIBRARY_PATH; "
                           "docs/install.md tells of others"));
  return *opened().table;
}

}  // namespace sft::mpi
