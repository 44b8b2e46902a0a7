#include "trainer/model_files/pretrained.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>

#include "base/errors.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "base/text.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/model_files/tensor_refs.h"
#include "trainer/models/blocks/patch_positions.h"

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

// In the file's memory.
at::Tensor tensor_of(const TensorRef& ref) { return at::from_blob(ref.data, ref.shape, dtype_from(ref.dtype)); }

// A weight is a floating point number.
void require_floats(const TensorRef& ref, const at::Tensor& target, const std::string& file) {
  if (at::isFloatingType(target.scalar_type()) && !at::isFloatingType(dtype_from(ref.dtype)))
    throw DataError(concat(file, ": tensor ", in_quotes(ref.name), " has the dtype ", ref.dtype,
                           ", and weights are floating point numbers"));
}

void require_finite(const TensorRef& ref, const std::string& file) {
  if (const std::string what = not_finite_in(ref); !what.empty())
    throw DataError(concat(file, ": ", what, "; there is nothing to start from in such a file"));
}

// Buffers that older transformers versions stored and nobody needs.
bool is_known_leftover(const std::string& name) { return name.ends_with("position_ids"); }

// Whether files that lack the parameter are likely of another model. `may_be_new`: they hold nothing of a part that
// comes new. Older torchvision counted no batches, and nothing depends on the number.
bool is_of_trunk(const Parameter& parameter, const Model& model, bool may_be_new) {
  return parameter.stage <= model.num_blocks() && !parameter.name.ends_with("num_batches_tracked") &&
         !(may_be_new && parameter.name.starts_with(model.new_part()));
}

bool is_as_wide(at::ScalarType wide, at::ScalarType other) {
  return at::isFloatingType(other) && c10::promoteTypes(wide, other) == wide;
}

// Other writers' files may put a tensor anywhere.
bool can_stay(const Parameter& parameter, const TensorRef& ref) {
  const at::ScalarType in_file = dtype_from(ref.dtype);
  const auto address = reinterpret_cast<uintptr_t>(ref.data);
  return parameter.may_be_narrow && is_as_wide(parameter.value.scalar_type(), in_file) &&
         address % c10::elementSize(in_file) == 0;
}

at::ScalarType written_type(at::ScalarType of_model, at::ScalarType in_file) {
  return of_model != at::kDouble && is_as_wide(of_model, in_file) ? in_file : of_model;
}

// The parameter becomes the tensor of the file, which stays open as long as the parameter is there.
void hold(const TensorRef& ref, const Parameter& parameter, const std::shared_ptr<const WeightFiles>& files) {
  at::Tensor value = parameter.value;
  const at::Tensor stored = at::from_blob(
      ref.data, ref.shape, [files](void*) {}, at::TensorOptions().dtype(dtype_from(ref.dtype)));
  value.set_requires_grad(false);
  value.set_data(parameter.from_file(stored).to(value.device()));
}

// Whether it was of positions of pictures of another size.
bool copy_resized(const TensorRef& ref, const Parameter& parameter, const std::string& file) {
  const at::NoGradGuard no_graph;
  if (!parameter.name.ends_with("embeddings.position_embeddings") || !at::isFloatingType(dtype_from(ref.dtype)))
    return false;
  const at::Tensor resized = resized_positions(tensor_of(ref), parameter.value.sizes());
  if (!resized.defined()) return false;
  require_finite(ref, file);
  parameter.value.detach().copy_(resized);
  require_mapped_files_whole();
  return true;
}

// Tensors that stay where they are, shared out among ranks in turn.
class Inspection {
 public:
  explicit Inspection(Shard share) : share_(share) {}
  void look_at(const TensorRef& ref, const std::string& file) {
    if (seen_++ % share_.count == share_.index) require_finite(ref, file);
  }

 private:
  Shard share_;
  int64_t seen_ = 0;
};

}  // namespace

void copy_weight(const TensorRef& ref, const at::Tensor& into, const std::string& file) {
  const at::NoGradGuard no_graph;
  beat();
  at::Tensor target = into;
  require_floats(ref, target, file);
  require_finite(ref, file);
  target.copy_(tensor_of(ref));
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

LoadReport load_pretrained(const std::shared_ptr<const WeightFiles>& files, const Model& model,
                           const Parameters& parameters, const LoadRule& rule) {
  std::map<std::string, const TensorRef*> by_name;
  for (const std::string& name : files->names())
    if (const std::string canonical = model.canonical(name); !canonical.empty()) by_name[canonical] = files->find(name);

  const std::string new_part = model.new_part();
  const bool may_be_new = !new_part.empty() && std::ranges::none_of(parameters, [&](const Parameter& one) {
    return one.stage <= model.num_blocks() && one.name.starts_with(new_part) && by_name.contains(one.name);
  });
  LoadReport report;
  Inspection inspection(rule.share);
  size_t of_backbone = 0;
  for (const Parameter& parameter : parameters) {
    const auto found = by_name.find(parameter.name);
    if (found == by_name.end()) {
      (is_of_trunk(parameter, model, may_be_new) ? report.of_trunk : report.missing).push_back(parameter.name);
      report.untouched.push_back(parameter);
      continue;
    }
    const TensorRef& ref = *found->second;
    const std::string& file = files->path_of(ref.name);
    const at::Tensor target = parameter.in_files();
    if (target.sizes() != at::IntArrayRef(ref.shape)) {
      const std::string what = concat(parameter.name, " ", shape_text(ref.shape), " in the file, ",
                                      shape_text(target.sizes()), " in the model");
      if (copy_resized(ref, parameter, file)) {
        if (rule.share.index == 0) log::info("brought to the size of the images: " + what);
        report.from_files.given.insert(parameter.name);
        ++of_backbone;
        by_name.erase(found);
        continue;
      }
      if (!rule.ignore_mismatched_sizes)
        throw DataError(concat("weights do not fit: ", what,
                               "; set model.ignore_mismatched_sizes = true to start that tensor anew"));
      report.mismatched.push_back(what);
      report.untouched.push_back(parameter);
    } else {
      report.from_files.given.insert(parameter.name);
      const bool is_frozen = rule.is_frozen(parameter);
      if (is_frozen)
        report.from_files.types[parameter.name] = written_type(target.scalar_type(), dtype_from(ref.dtype));
      if (is_frozen && can_stay(parameter, ref)) {
        inspection.look_at(ref, file);
        hold(ref, parameter, files);
        report.from_files.held.insert(parameter.name);
        report.from_files.files = files;
      } else {
        copy_weight(ref, target, file);
      }
      if (parameter.name.starts_with(model.prefix())) ++of_backbone;
    }
    by_name.erase(found);
  }
  for (const auto& [name, ref] : by_name)
    if (!is_known_leftover(name)) report.unexpected.push_back(name);
  require_mapped_files_whole();
  if (of_backbone == 0)
    throw DataError(concat("the weight files hold no tensor of this model; they have, for example: ",
                           listed(report.unexpected, 4)));
  return report;
}

std::string what_trunk_lacks(const LoadReport& report) {
  if (report.of_trunk.empty()) return {};
  return concat("the weight files lack ", report.of_trunk.size(),
                " tensors of the model below its head, which start as ", "random numbers: ", listed(report.of_trunk),
                "; do config.json and the weights belong together?");
}

std::string describe(const LoadReport& report) {
  std::vector<std::string> lines;
  if (!report.missing.empty()) lines.push_back("newly initialised, not in the weight files: " + listed(report.missing));
  if (!report.mismatched.empty()) lines.push_back("newly initialised, of another shape: " + listed(report.mismatched));
  if (!report.unexpected.empty()) lines.push_back("in the weight files, not used: " + listed(report.unexpected));
  return join(lines, "; ");
}

}  // namespace sft
