// What a file or directory of ours holds: an HDF5 file, a file of tensors, a checkpoint, a run.
#include "data/samples/inspect.h"

#include <filesystem>
#include <iomanip>
#include <iostream>

#include "base/file_ops.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/checkpoint/verify.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/report/report.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

std::string shape_of(const TensorRef& tensor) {
  std::vector<std::string> sizes;
  for (const int64_t size : tensor.shape) sizes.push_back(std::to_string(size));
  return "[" + join(sizes, ", ") + "]";
}

std::string describe_tensors(const std::string& path) {
  const std::unique_ptr<TensorFile> opened = open_tensor_file(path);
  const TensorFile& file = *opened;
  std::ostringstream out;
  int64_t bytes = 0;
  for (const TensorRef& tensor : file.tensors()) {
    out << std::left << std::setw(64) << in_quotes(tensor.name) << std::setw(6) << tensor.dtype << shape_of(tensor)
        << '\n';
    bytes += tensor.bytes;
  }
  out << file.tensors().size() << " tensors, " << human_bytes(static_cast<double>(bytes)) << '\n';
  return out.str();
}

// Collective where `verify` is set: the ranks share the files.
std::string describe_checkpoint(const fs::path& path, bool verify, Communicator& control) {
  Manifest manifest;
  together(control, [&] { manifest = parse_manifest(read_file((path / kManifestName).string()), path.string()); });
  if (verify) verify_checkpoint(path.string(), control);
  std::ostringstream out;
  out << "checkpoint of step " << manifest.step << ", run " << manifest.run_id << ", written by " << manifest.world
      << " ranks, " << manifest.model.size() << " model tensors, " << manifest.optimizer.size() << " optimizer buffers"
      << (manifest.resumable ? "" : ", not resumable (save_only_model)") << '\n';
  for (const FileEntry& file : manifest.files)
    out << std::left << std::setw(44) << file.name << std::right << std::setw(14) << file.bytes << " bytes  crc32c "
        << hex_of(file.crc32c) << '\n';
  if (verify) out << "every file matches its checksum\n";
  return out.str();
}

// Of a run, verified: every checkpoint in it. Collective.
std::string describe_checkpoints(const fs::path& path, Communicator& control) {
  std::vector<fs::path> checkpoints;
  together(control, [&] {
    for (const auto& entry : fs::directory_iterator(path))
      if (fs::exists(entry.path() / kManifestName)) checkpoints.push_back(entry.path());
  });
  std::sort(checkpoints.begin(), checkpoints.end());
  std::string text;
  for (const fs::path& checkpoint : checkpoints)
    text += concat(checkpoint.string(), "\n", describe_checkpoint(checkpoint, true, control));
  return text.empty() ? "no checkpoint to verify\n" : text;
}

std::string describe_here(const fs::path& path, bool verify) {
  if (!fs::exists(path)) throw ConfigError(concat("no such file or directory: ", path.string()));
  if (fs::is_directory(path)) {
    if (fs::exists(path / "config.toml")) return run_in_words(path.string());
    for (const char* name : {"model.safetensors", kAdapterWeights, "pytorch_model.bin"})
      if (fs::exists(path / name)) return describe_tensors((path / name).string());
    std::string text;
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.path().extension() == ".h5") text += describe_hdf5(entry.path().string(), verify) + "\n";
    if (!text.empty()) return text;
    throw ConfigError(concat(path.string(), ": neither a run, a checkpoint, a model nor a folder of shards"));
  }
  if (path.extension() == ".safetensors" || has_torch_ending(path.string())) return describe_tensors(path.string());
  if (path.extension() == ".h5" || path.extension() == ".hdf5") return describe_hdf5(path.string(), verify);
  throw ConfigError(concat(path.string(), ": wanted .h5, .hdf5, .safetensors, .bin, .pt, .pth or a directory"));
}

}  // namespace

ExitCode inspect(const Arguments& arguments, Job& job) {
  const fs::path path(arguments.target);
  std::string text;
  if (fs::exists(path / kManifestName))
    text = describe_checkpoint(path, arguments.verify, job.control());
  else if (arguments.verify && fs::exists(path / "config.toml"))
    text = describe_checkpoints(path, job.control());
  else
    together(job.control(), [&] { text = job.control().rank() == 0 ? describe_here(path, arguments.verify) : ""; });
  if (job.control().rank() == 0) std::cout << text << std::flush;
  return ExitCode::done;
}

}  // namespace sft
