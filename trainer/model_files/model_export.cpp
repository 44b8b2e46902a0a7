#include "trainer/model_files/model_export.h"

#include <filesystem>

#include "base/errors.h"
#include "base/leftovers.h"
#include "base/text.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/model_files/tensor_refs.h"

namespace sft {

void export_model(FileOps& files, const std::string& directory, const Parameters& parameters, const NamedFiles& beside,
                  const std::string& weights) {
  namespace fs = std::filesystem;
  std::string path = directory;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::string temporary = name_in_progress(path, "tmp"), old = name_in_progress(path, "old");
  remove_leftovers(files, path, "tmp");
  const HostTensors tensors(named_tensors(parameters));
  for (const TensorRef& tensor : tensors.refs())
    if (const std::string what = not_finite_in(tensor); !what.empty())
      throw Error(ExitCode::not_finite, concat("the model is not exported: ", what));
  files.remove_all(temporary);
  files.make_directory(temporary);
  write_safetensors(files, temporary + "/" + weights, tensors.refs(), {{"format", "pt"}});
  for (const auto& [name, content] : beside) write_atomically(files, temporary + "/" + name, content);
  files.sync_directory(temporary);
  const bool replaces = fs::exists(directory);
  if (replaces) files.rename(directory, old);
  files.rename(temporary, directory);
  const fs::path parent = fs::absolute(directory).parent_path();
  files.sync_directory(parent.string());
  if (replaces) files.remove_all(old);
  remove_leftovers(files, path, "old");
}

}  // namespace sft
