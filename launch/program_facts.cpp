#include "launch/program_facts.h"

#include <ATen/Version.h>
#include <elf.h>
#include <link.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/text.h"
#include "comm/mpi/mpi.h"
#include "launch/version.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr std::array kVariables{"ATEN_CPU_CAPABILITY",
                                "CUBLAS_WORKSPACE_CONFIG",
                                "DNNL_DEFAULT_FPMATH_MODE",
                                "DNNL_MAX_CPU_ISA",
                                "KMP_DETERMINISTIC_REDUCTION",
                                "MKL_CBWR",
                                "MKL_ENABLE_INSTRUCTIONS",
                                "NCCL_ALGO",
                                "NCCL_PROTO",
                                "NVIDIA_TF32_OVERRIDE",
                                "OMP_DYNAMIC",
                                "ONEDNN_DEFAULT_FPMATH_MODE",
                                "ONEDNN_MAX_CPU_ISA",
                                "SFT_SIMULATED_NODES",
                                "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"};

// The program itself is loaded under no name.
constexpr std::array<std::string_view, 3> kLibraries{"libtorch_cpu.so", "libc10.so", "libmpi.so"};

// The build id that the linker left (elf(5), NT_GNU_BUILD_ID), in hex; "" where there is none.
std::string build_id(const dl_phdr_info& loaded) {
  for (int i = 0; i < loaded.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = loaded.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const auto* at = reinterpret_cast<const std::byte*>(loaded.dlpi_addr + segment.p_vaddr);
    const std::byte* const end = at + segment.p_memsz;
    const size_t alignment = segment.p_align == 8 ? 8 : 4;
    const auto padded = [&](size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; };
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const std::byte* const name = at + sizeof note;
      const std::byte* const content = at + padded(sizeof note + note.n_namesz);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
        std::string hex;
        for (size_t b = 0; b < note.n_descsz; ++b) {
          std::array<char, 3> digits{};
          std::snprintf(digits.data(), digits.size(), "%02x", std::to_integer<unsigned>(content[b]));
          hex += digits.data();
        }
        return hex;
      }
      at += padded(static_cast<size_t>(content - at) + note.n_descsz);
    }
  }
  return "";
}

// By build id, or by size where a library was built without one.
std::string identity(const dl_phdr_info& loaded) {
  if (const std::string id = build_id(loaded); !id.empty()) return "build " + id;
  std::error_code unknown;
  const char* const path = *loaded.dlpi_name == '\0' ? "/proc/self/exe" : loaded.dlpi_name;
  return concat(fs::file_size(path, unknown), " bytes");
}

int add_identity(dl_phdr_info* loaded, size_t, void* into) {
  Facts& facts = *static_cast<Facts*>(into);
  const std::string name = fs::path(loaded->dlpi_name).filename().string();
  if (name.empty() && !facts.contains("program")) facts["program"] = identity(*loaded);
  for (const std::string_view library : kLibraries)
    if (name.starts_with(library)) facts[name] = identity(*loaded);
  return 0;
}

void add_options(const Arguments& arguments, Facts& facts) {
  const auto add = [&](const char* name, const auto& value) { facts[name] = concat(value); };
  add("command", arguments.command);
  add("CONFIG, RUN or MODEL", arguments.target);
  add("inputs", join(arguments.inputs, ", "));
  add("--output", arguments.output);
  for (const auto& [option, file] : arguments.forms) add(option.c_str(), file);
  add("--checkpoint", arguments.checkpoint);
  add("--split", arguments.split);
  add("--file", arguments.file);
  add("--text-column", join(arguments.text_columns, ", "));
  add("--text-pair-column", arguments.text_pair_column);
  add("--image-column", arguments.image_column);
  add("--index", arguments.index);
  add("--batch-size", arguments.batch_size);
  add("--show", arguments.show);
  add("--min-lr", arguments.min_rate);
  add("--max-lr", arguments.max_rate);
  add("--steps", arguments.steps);
  add("--gpus", arguments.gpus);
  add("--nodes", arguments.nodes);
  add("--kind", arguments.kind);
  add("--latency", arguments.latency);
  add("--bandwidth", arguments.bandwidth);
  add("--json", arguments.json);
  add("--explain", arguments.explain);
  add("--folds", arguments.folds);
  add("--dry-run", arguments.dry_run);
  add("--list", arguments.list);
  add("--slurm", arguments.slurm);
  add("--quiet", arguments.quiet);
  add("--verbose", arguments.verbose);
}

}  // namespace

Facts program_facts(const Arguments& arguments) {
  Facts facts{{"version", version_text()}, {"MPI", mpi::library_version()}};
  dl_iterate_phdr(add_identity, &facts);
  for (const char* name : kVariables)
    if (const char* value = std::getenv(name)) facts[concat("environment variable ", name)] = in_quotes(value);
  add_options(arguments, facts);
  return facts;
}

Facts kernel_facts() {
  return {{"CPU kernels (ATEN_CPU_CAPABILITY=avx2 for all ranks evens them out)", at::get_cpu_capability()}};
}

}  // namespace sft
