#include "data/samples/shard_form.h"

#include <algorithm>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/format.h"
#include "data/hdf5/shard_reading.h"

namespace sft {
namespace {

// One list entry a column.
template <class List>
const List& of_columns(const GuardedFile& file, const char* name, const List& list, size_t num_columns) {
  if (list.size() == num_columns) return list;
  throw DataError(concat(in_quotes(file.path, 400), ", attribute ", in_quotes(name), ": has ", list.size(),
                         " entries, and there are ", num_columns, " columns"));
}

template <class Kind>
Kind known(const GuardedFile& file, const char* attribute, const std::string& name, std::optional<Kind> found) {
  if (found) return *found;
  throw DataError(
      concat(in_quotes(file.path, 400), ", attribute ", in_quotes(attribute), ": ", in_quotes(name), " is not known"));
}

Schema schema_of(const GuardedFile& file, const ShardAttributes& attributes) {
  const StringList names = attributes.texts(format::kColumns);
  const StringList numbers = of_columns(file, format::kNumbers, attributes.texts(format::kNumbers), names.size());
  const StringList axes = of_columns(file, format::kAxes, attributes.texts(format::kAxes), names.size());
  const StringList roles = of_columns(file, format::kRoles, attributes.texts(format::kRoles), names.size());
  const auto bounds = of_columns(file, format::kBounds, attributes.integers(format::kBounds), names.size());
  Schema schema{.columns = {}, .units = attributes.texts(format::kUnits)};
  for (size_t c = 0; c < names.size(); ++c) {
    const std::vector<int64_t>& shape = file.dataset(names[c]).shape;
    schema.columns.push_back({.name = names[c],
                              .number = known(file, format::kNumbers, numbers[c], number_named(numbers[c])),
                              .shape = {shape.begin() + (shape.empty() ? 0 : 1), shape.end()},
                              .axis = axes[c],
                              .bound = bounds[c],
                              .role = known(file, format::kRoles, roles[c], role_named(roles[c]))});
  }
  return schema;
}

// That the lists make a schema: names apart, units among the axes.
void check(const GuardedFile& file, const Schema& schema) {
  const auto refuse = [&](const char* attribute, const std::string& why) {
    throw DataError(concat(in_quotes(file.path, 400), ", attribute ", in_quotes(attribute), ": ", why));
  };
  std::set<std::string> names;
  for (const Column& column : schema.columns) {
    if (!names.insert(column.name).second) refuse(format::kColumns, concat("names ", in_quotes(column.name), " twice"));
    if (column.name == format::kWeights || column.name == format::kRows || column.name == format::kChecksums ||
        column.name.ends_with(format::kOffsetsEnding))
      refuse(format::kColumns, concat("names ", in_quotes(column.name), ", which is no column"));
    if (column.bound < 0) refuse(format::kBounds, concat("holds ", column.bound, ", and at least 0 is needed"));
  }
  if (schema.columns.empty()) refuse(format::kColumns, "names none");
  const StringList axes = schema.axes();
  for (const std::string& unit : schema.units)
    if (std::ranges::find(axes, unit) == axes.end())
      refuse(format::kUnits, concat("no column lies along ", in_quotes(unit)));
}

}  // namespace

bool is_shard(const GuardedFile& file) {
  const hdf5::Attribute* name = file.layout.attribute(format::kFormat);
  return name != nullptr && name->texts == std::vector<std::string>{format::kName};
}

ShardForm form_of(const GuardedFile& file) {
  const ShardAttributes attributes(file);
  if (attributes.version() == 1) return form_of_version_1(file);
  ShardForm form;
  form.schema = schema_of(file, attributes);
  check(file, form.schema);
  for (const Column& column : form.schema.columns) form.datasets.push_back(column.name);
  form.covered = form.datasets;
  for (const std::string& axis : form.schema.axes()) form.offsets.push_back(axis + format::kOffsetsEnding);
  form.covered.insert(form.covered.end(), form.offsets.begin(), form.offsets.end());
  form.has_weights = file.layout.dataset(format::kWeights) != nullptr;
  form.has_rows = file.layout.dataset(format::kRows) != nullptr;
  if (form.has_weights) form.covered.emplace_back(format::kWeights);
  if (form.has_rows) form.covered.emplace_back(format::kRows);
  form.num_samples = attributes.integer(format::kNumSamples, 0);
  form.num_rows = attributes.integer(format::kNumRows, form.has_rows ? 0 : form.num_samples);
  if (!form.schema.units.empty()) form.max_length = attributes.integer(format::kMaxLength, 1);
  form.content_hash = static_cast<uint64_t>(attributes.integer(format::kContentHash, 0));
  form.tokenizer_sha256 = attributes.text(format::kTokenizer);
  form.label_names = attributes.texts(format::kLabelNames);
  return form;
}

}  // namespace sft
