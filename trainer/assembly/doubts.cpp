#include "trainer/assembly/doubts.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "base/text.h"

namespace sft {
namespace {

// "bert" of "models/bert/" and of "org/bert": directories move, and a hub's name becomes one.
std::string name_in_path(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
}

// A head that was trained for labels of other names, or in another order, would be taken for theirs row by row.
void warn_of_other_labels(const LoadReport& report, const Built& built, const ModelDirectory& directory,
                          const Labels& labels) {
  const std::vector<std::string> trained = directory.label_names();
  const bool head_was_loaded = std::ranges::none_of(
      report.untouched, [&](const Parameter& one) { return one.stage > built.model->num_blocks() + 1; });
  if (!head_was_loaded || trained.size() != labels.names.size() || trained == labels.names) return;
  const auto differ = std::ranges::mismatch(trained, labels.names);
  log::warn(concat("the head of ", directory.path(), " was trained for other labels: what it knows of ",
                   in_quotes(*differ.in1), " is taken for ", in_quotes(*differ.in2),
                   ", and so on in the order of ids. Labels that are spelled as in its config.json keep their place"));
}

// Equal shapes do not tell one base from another, nor what stood at the path when the adapter was trained.
void warn_of_another_base(const AdapterFiles& adapter, const std::string& weights, const ModelDirectory& directory) {
  const std::string& base = adapter.settings().base;
  const std::string trained = adapter.base_weights();
  if (!trained.empty() && trained != weights)
    log::warn(concat("the adapter in ", adapter.directory(), " was trained on other weights than ", directory.path(),
                     " holds now: what it adds was learned for those"));
  else if (trained.empty() && !base.empty() && name_in_path(base) != name_in_path(directory.name()))
    log::warn(concat("the adapter in ", adapter.directory(), " was trained on ", in_quotes(base, 400),
                     ", and stands on ", in_quotes(directory.name(), 400),
                     " here; whether they are one cannot be seen"));
}

// A network that sees pixels on another scale than it was trained on learns, and learns less.
void warn_of_unknown_scale(const RunConfig& config, const Model& model, const ModelDirectory& directory) {
  for (const char* key : {"image_mean", "image_std"}) {
    const NumberList& said = key == std::string("image_mean") ? config.data.mean : config.data.std;
    const auto used = model.config().find(key);
    if (used == model.config().end() || !said.empty() || directory.config().contains(key) ||
        config.model.config.contains(key))
      continue;
    log::warn(concat(directory.path(), ": neither preprocessor_config.json nor data.", key + 6, " says the ", key,
                     " of pixels; taken is ", used->dump(), ", the usual one of ",
                     model.config().value("model_type", std::string("this model"))));
  }
}

}  // namespace

void tell_doubts(const RunConfig& config, const Built& built, const ModelDirectory& directory, const Labels& labels) {
  if (const std::string lacks = what_trunk_lacks(built.report); !lacks.empty())
    log::warn(concat(directory.path(), ": ", lacks));
  warn_of_other_labels(built.report, built, directory, labels);
  warn_of_unknown_scale(config, *built.model, directory);
  if (!directory.adapter().empty())
    warn_of_another_base(AdapterFiles(directory.adapter()), built.weights_checksum, directory);
}

}  // namespace sft
