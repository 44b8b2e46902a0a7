#include "data/samples/inspect.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "base/text.h"
#include "data/hdf5/filters.h"
#include "data/samples/foreign_dataset.h"
#include "data/samples/stored_shard.h"

namespace sft {
namespace {

using hdf5::Attribute;
using hdf5::DatasetLayout;
using hdf5::Storage;

constexpr size_t kMostValues = 8;

template <class Value, class Print>
std::string list(const std::vector<Value>& values, Print print) {
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(values.size(), kMostValues); ++i) shown.push_back(print(values[i]));
  std::string text = join(shown, ", ");
  if (values.size() > kMostValues) text += concat(", … (", values.size(), ")");
  return text;
}

std::string value_of(const Attribute& attribute) {
  if (!attribute.integers.empty()) return list(attribute.integers, [](int64_t value) { return std::to_string(value); });
  if (!attribute.reals.empty()) return list(attribute.reals, [](double value) { return concat(value); });
  if (!attribute.texts.empty())
    return list(attribute.texts, [](const std::string& text) { return in_quotes(text, 200); });
  return concat("(", attribute.type, " ", hdf5::shape_text(attribute.shape), ")");
}

std::string storage_of(const DatasetLayout& dataset) {
  switch (dataset.storage) {
    case Storage::contiguous:
      return dataset.offset < 0 ? "empty" : concat("contiguous at ", dataset.offset);
    case Storage::compact:
      return "compact";
    case Storage::chunked:
      break;
  }
  std::vector<std::string> filters;
  for (const hdf5::Filter& filter : dataset.filters) filters.push_back(hdf5::filter_name(filter.id));
  return concat("in ", dataset.chunks.size(), " chunks of ", hdf5::shape_text(dataset.chunk_shape),
                filters.empty() ? "" : ", " + join(filters, " + "));
}

std::string verify_file(const std::shared_ptr<const GuardedFile>& file) {
  if (is_shard(*file)) {
    const StoredShard shard(file);
    verify(shard);
    return concat("verified: ", human_count(static_cast<double>(shard.size())),
                  " samples match their checksums and the content hash");
  }
  const std::unique_ptr<Dataset> dataset = open_foreign(file);
  Batch one(dataset->schema());
  for (int64_t i = 0; i < dataset->size(); ++i, one.clear()) dataset->append(i, one);
  return concat("verified: all ", human_count(static_cast<double>(dataset->size())),
                " rows can be read (the file has no checksums of ours)");
}

}  // namespace

std::string describe_hdf5(const std::string& path, bool verify) {
  const std::shared_ptr<const GuardedFile> file = open_guarded(path);
  std::ostringstream out;
  out << path << ": HDF5, " << human_bytes(static_cast<double>(file->bytes))
      << (is_shard(*file) ? ", a shard of sft-dist" : "") << "\n";

  size_t widest = 0;
  for (const Attribute& attribute : file->layout.attributes) widest = std::max(widest, attribute.name.size());
  for (const DatasetLayout& dataset : file->layout.datasets) widest = std::max(widest, dataset.name.size());
  const auto name = [&](const std::string& text) -> std::ostream& {
    return out << "  " << std::left << std::setw(static_cast<int>(std::min<size_t>(widest, 40)) + 4) << text;
  };
  if (!file->layout.attributes.empty()) out << "attributes\n";
  for (const Attribute& attribute : file->layout.attributes)
    name(in_quotes(attribute.name)) << value_of(attribute) << "\n";
  out << "datasets\n";
  for (const DatasetLayout& dataset : file->layout.datasets) {
    name(in_quotes(dataset.name)) << dataset.type.name << " " << hdf5::shape_text(dataset.shape) << ", "
                                  << human_bytes(static_cast<double>(dataset.stored_bytes)) << ", "
                                  << storage_of(dataset) << "\n";
  }
  if (verify) out << verify_file(file) << "\n";
  return out.str();
}

}  // namespace sft
