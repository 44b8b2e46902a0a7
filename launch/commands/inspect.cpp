// What a file or directory of ours holds: an HDF5 file, a file of tensors, a checkpoint, a run.
#include "data/samples/inspect.h"

#include <filesystem>
#include <iomanip>
#include <iostream>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/schema.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/verify_model.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/checkpoint/verify.h"
#include "trainer/report/report.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

std::string shape_of(const TensorRef& tensor) {
  std::vector<std::string> sizes;
  for (const int64_t size : tensor.shape) sizes.push_back(std::to_string(size));
  return "[" + join(sizes, ", ") + "]";
}

std::string in_words(const std::vector<const TensorRef*>& tensors) {
  std::ostringstream out;
  int64_t bytes = 0;
  for (const TensorRef* tensor : tensors) {
    out << std::left << std::setw(64) << in_quotes(tensor->name) << std::setw(6) << tensor->dtype << shape_of(*tensor)
        << '\n';
    bytes += tensor->bytes;
  }
  out << tensors.size() << " tensors, " << human_bytes(static_cast<double>(bytes)) << '\n';
  return out.str();
}

std::string describe_tensors(const std::string& path, bool verify) {
  const std::unique_ptr<TensorFile> file = open_tensor_file(path);
  std::vector<const TensorRef*> tensors;
  for (const TensorRef& tensor : file->tensors()) {
    if (const std::string what = verify ? not_finite_in(tensor) : ""; !what.empty())
      throw DataError(concat(path, ": ", what));
    tensors.push_back(&tensor);
  }
  return in_words(tensors) + (verify ? "all weights are finite\n" : "");
}

// In one file or in several.
std::string describe_weights(const std::string& directory) {
  const WeightFiles files(directory);
  std::vector<const TensorRef*> tensors;
  for (const std::string& name : files.names()) tensors.push_back(files.find(name));
  return in_words(tensors);
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

// What a run exported, or the directory itself.
StringList models_to_verify(const fs::path& path) {
  StringList models;
  for (const fs::path& directory : {path, path / "model", path / "adapter"}) {
    const bool may_be = directory == path || fs::exists(path / "config.toml");
    if (may_be && is_model_directory(directory.string())) models.push_back(directory.string());
  }
  return models;
}

// What verified_model() looks through behind this is not looked through here.
std::string describe_here(const fs::path& path, bool verify) {
  if (!fs::exists(path)) throw ConfigError(concat("no such file or directory: ", path.string()));
  if (fs::is_directory(path)) {
    if (fs::exists(path / "config.toml")) return run_in_words(path.string());
    const bool is_model = is_model_directory(path.string()), look = verify && !is_model;
    if (const std::string weights = adapter_weights_in(path.string()); !weights.empty())
      return describe_tensors(weights, look);
    if (is_model && has_weight_files(path.string())) return describe_weights(path.string());
    for (const char* name : {"model.safetensors", "pytorch_model.bin"})
      if (fs::exists(path / name)) return describe_tensors((path / name).string(), look);
    std::string text;
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.path().extension() == ".h5") text += describe_hdf5(entry.path().string(), look) + "\n";
    if (!text.empty() || (verify && is_model)) return text;
    throw ConfigError(concat(path.string(), ": neither a run, a checkpoint, a model nor a folder of shards"));
  }
  if (path.extension() == ".safetensors" || has_torch_ending(path.string()))
    return describe_tensors(path.string(), verify);
  if (path.extension() == ".h5" || path.extension() == ".hdf5") return describe_hdf5(path.string(), verify);
  throw ConfigError(concat(path.string(), ": wanted .h5, .hdf5, .safetensors, .bin, .pt, .pth or a directory"));
}

}  // namespace

ExitCode inspect(const Arguments& arguments, Job& job) {
  const fs::path path(arguments.target);
  Communicator& control = job.control();
  const auto print_text = [&](const std::string& text) {
    if (control.rank() == 0) std::cout << text << std::flush;
  };
  if (fs::exists(path / kManifestName))
    print_text(describe_checkpoint(path, arguments.verify, control));
  else if (arguments.verify && fs::exists(path / "config.toml"))
    print_text(describe_checkpoints(path, control));
  else {
    std::string text;
    together(control, [&] { text = control.rank() == 0 ? describe_here(path, arguments.verify) : ""; });
    print_text(text);
  }
  if (!arguments.verify) return ExitCode::done;
  // Each is told when it is verified: what is found in a later one does not take that away.
  for (const std::string& model : models_to_verify(path)) {
    const std::string found = verified_model(model, job);
    print_text(model == path.string() ? found : concat(model, "\n", found));
  }
  return ExitCode::done;
}

}  // namespace sft
