#include "trainer/assembly/check_fit.h"

#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/models/image_size.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

// Positions of patches are of one size.
void require_picture_size(const Needs& needs, const Schema& schema) {
  const Column* const found = schema.find("pixels");
  const std::vector<int64_t>& wanted = needs.front().column.shape;
  if (found == nullptr || wanted[0] == 0 || std::ranges::equal(found->shape, wanted)) return;
  throw ConfigError(concat("the training images are ", found->shape[0], " × ", found->shape[1],
                           ", and the model takes ", wanted[0], " × ", wanted[1], "; set data.image_size = ", wanted[0],
                           " to bring the images to that size, or another size, to which the model's positions are "
                           "then brought"));
}

}  // namespace

void check_fit(const RunConfig& config, const Model& model, const Datasets& data, const ModelDirectory& directory) {
  const std::optional<TextLimits> limits = model.text_limits();
  if (data.train->size() == 0) throw DataError("the training data has no rows");
  if (!limits) {
    const Schema& stored = data.train->schema();
    const Schema seen = seen_through(augmentation_of(config, stored), stored);
    require_picture_size(model.needs(), seen);
    if (const Column* pixels = seen.find("pixels")) require_side(model, pixels->shape[0], pixels->shape[1]);
    return;
  }
  if (data.tokenizer->vocab_size() > limits->vocab_size)
    throw DataError(concat(directory.path(), ": the tokenizer gives ids up to ", data.tokenizer->vocab_size() - 1,
                           ", and the model has ", limits->vocab_size, " embeddings; they are not of one model"));
  const bool is_cut_to_fit = task_named(config.model.task).max_length > 0;
  // Of samples with a source and a target, shards tell the length of both together; each side was cut to the positions.
  const bool has_two_texts = data.train->schema().units.size() > 1;
  const int64_t longest =
      std::max(is_cut_to_fit ? 0 : config.data.max_length, has_two_texts ? 0 : data.train->info().max_length);
  if (longest > limits->max_positions)
    throw ConfigError(
        concat("data.max_length is ", longest, ", and the model has positions for ", limits->max_positions, " tokens"));
}

}  // namespace sft
