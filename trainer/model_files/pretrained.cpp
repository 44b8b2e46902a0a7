#include "trainer/model_files/pretrained.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <cstring>
#include <map>

#include "base/errors.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "base/text.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/model_files/tensor_refs.h"

namespace sft {
namespace {

std::string shape_text(at::IntArrayRef shape) {
  std::vector<std::string> sizes;
  for (const int64_t size : shape) sizes.push_back(std::to_string(size));
  return "[" + join(sizes, ", ") + "]";
}

std::string listed(const std::vector<std::string>& names, size_t most = 8) {
  std::vector<std::string> shown(names.begin(), names.begin() + static_cast<long>(std::min(most, names.size())));
  if (names.size() > most) shown.push_back(concat("… ", names.size() - most, " more"));
  return join(shown, ", ");
}

// What can be seen of a tensor alone: a weight is a floating point number, and finite.
void require_weights(const TensorRef& ref, const at::Tensor& target, const std::string& file) {
  if (at::isFloatingType(target.scalar_type()) && !at::isFloatingType(dtype_from(ref.dtype)))
    throw DataError(concat(file, ": tensor ", in_quotes(ref.name), " has the dtype ", ref.dtype,
                           ", and weights are floating point numbers"));
  if (const std::string what = not_finite_in(ref); !what.empty())
    throw DataError(concat(file, ": ", what, "; there is nothing to start from in such a file"));
}

// Buffers that older transformers versions stored and nobody needs.
bool is_known_leftover(const std::string& name) { return name.ends_with("position_ids"); }

}  // namespace

void copy_weight(const TensorRef& ref, const at::Tensor& into, const std::string& file) {
  const at::NoGradGuard no_graph;
  beat();
  at::Tensor target = into;
  require_weights(ref, target, file);
  target.copy_(at::from_blob(ref.data, ref.shape, dtype_from(ref.dtype)));
  require_mapped_files_whole();
}

std::vector<std::string> names_without_copies(const WeightFiles& files) {
  std::vector<std::string> names = files.names();
  const TensorRef *layer = files.find("lm_head.weight"), *table = files.find("shared.weight");
  if (layer == nullptr || table == nullptr || layer->dtype != table->dtype || layer->shape != table->shape)
    return names;
  if (std::memcmp(layer->data, table->data, static_cast<size_t>(table->bytes)) == 0) std::erase(names, layer->name);
  require_mapped_files_whole();
  return names;
}

LoadReport load_pretrained(const WeightFiles& files, const Model& model, const Parameters& parameters,
                           bool ignore_mismatched_sizes) {
  std::map<std::string, const TensorRef*> by_name;
  for (const std::string& name : files.names())
    if (const std::string canonical = model.canonical(name); !canonical.empty()) by_name[canonical] = files.find(name);

  LoadReport report;
  size_t of_backbone = 0;
  for (const Parameter& parameter : parameters) {
    const auto found = by_name.find(parameter.name);
    if (found == by_name.end()) {
      report.missing.push_back(parameter.name);
      report.untouched.push_back(parameter);
      continue;
    }
    const TensorRef& ref = *found->second;
    at::Tensor target = parameter.in_files();
    if (target.sizes() != at::IntArrayRef(ref.shape)) {
      const std::string what = concat(parameter.name, " ", shape_text(ref.shape), " in the file, ",
                                      shape_text(target.sizes()), " in the model");
      if (!ignore_mismatched_sizes)
        throw DataError(concat("weights do not fit: ", what,
                               "; set model.ignore_mismatched_sizes = true to start that tensor anew"));
      report.mismatched.push_back(what);
      report.untouched.push_back(parameter);
    } else {
      copy_weight(ref, target, files.path_of(ref.name));
      if (parameter.name.starts_with(model.prefix())) ++of_backbone;
    }
    by_name.erase(found);
  }
  for (const auto& [name, ref] : by_name)
    if (!is_known_leftover(name)) report.unexpected.push_back(name);
  if (of_backbone == 0)
    throw DataError(concat("the weight files hold no tensor of this model; they have, for example: ",
                           listed(report.unexpected, 4)));
  return report;
}

std::string describe(const LoadReport& report) {
  std::vector<std::string> lines;
  if (!report.missing.empty()) lines.push_back("newly initialised, not in the weight files: " + listed(report.missing));
  if (!report.mismatched.empty()) lines.push_back("newly initialised, of another shape: " + listed(report.mismatched));
  if (!report.unexpected.empty()) lines.push_back("in the weight files, not used: " + listed(report.unexpected));
  return join(lines, "; ");
}

}  // namespace sft
