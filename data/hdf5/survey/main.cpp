// sft-hdf5-survey: reads the structure of the HDF5 file open as descriptor 3 and writes it to standard
// output. HDF5 1.10 can crash, loop or eat memory on a hostile file; here that ends this process alone.
// It is a program and not a fork, because nothing may fork once MPI has started.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "data/hdf5/survey/survey.h"

namespace {

constexpr rlim_t kMostSeconds = 60;
constexpr rlim_t kMostBytes = rlim_t{2} << 30;  // beyond what the program itself maps

void limit(__rlimit_resource resource, rlim_t value) {
  const rlimit both{value, value};
  setrlimit(resource, &both);
}

// Pages mapped now: a sanitizer maps terabytes before main.
rlim_t mapped_bytes() {
  unsigned long pages = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return static_cast<rlim_t>(pages) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

bool write_all(const std::vector<uint8_t>& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data() + done, bytes.size() - done);
    if (written <= 0) return false;
    done += static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

int main() {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, kMostSeconds);
  limit(RLIMIT_AS, mapped_bytes() + kMostBytes);
  sft::hdf5::Finding finding;
  try {
    finding.layout = sft::hdf5::survey(3);
  } catch (const std::exception& error) {
    finding = {error.what(), {}};
  }
  const bool written = write_all(sft::hdf5::encode(finding));
  std::fflush(nullptr);
  _exit(written ? 0 : 1);  // without the library's own clean-up, which a damaged file could trip
}
