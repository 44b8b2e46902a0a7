#include "trainer/tasks/recipes/token_columns.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "data/prepare/report.h"

namespace sft {
namespace {

constexpr size_t kTokens = 0, kSegments = 2;

bool tells_segments(const Tokenizer& tokenizer, bool pairs) {
  const Encoding probe = pairs ? tokenizer.encode_pair("a", "b") : tokenizer.encode("a");
  return std::ranges::any_of(probe.segments, [](uint8_t id) { return id != 0; });
}

// The same token for letters of two scripts that hardly a vocabulary has: the last one before the special tokens. Nothing
// where the tokenizer knows the letters, as one of bytes does.
std::optional<int32_t> unknown_of(const Tokenizer& tokenizer) {
  try {
    const std::vector<int32_t> none = tokenizer.encode("").ids, runic = tokenizer.encode("ᚠ").ids;
    if (runic != tokenizer.encode("𒀀").ids || runic.size() <= none.size()) return {};
    const auto differs = std::mismatch(none.rbegin(), none.rend(), runic.rbegin()).second;
    return differs == runic.rend() ? std::optional<int32_t>() : *differs;
  } catch (const Error&) {  // a vocabulary without such a token
    return {};
  }
}

}  // namespace

TokenColumns::TokenColumns(const DataConfig& config, const Tokenizer& tokenizer)
    : config_(config),
      tokenizer_(tokenizer),
      has_segments_(tells_segments(tokenizer, !config.text_pair_column.empty())),
      unknown_(unknown_of(tokenizer)) {}

nlohmann::json TokenColumns::key() const {
  return {{"tokenizer", tokenizer_.sha256()}, {"max_length", config_.max_length}, {"truncation", config_.truncation}};
}

Schema TokenColumns::schema(const Column& target) const {
  Schema schema{
      .columns = {{.name = "tokens", .number = Number::int32, .axis = "token", .bound = tokenizer_.vocab_size()},
                  target},
      .units = {"token"}};
  if (has_segments_) schema.columns.push_back({.name = "segments", .number = Number::uint8, .axis = "token"});
  return schema;
}

ShardInfo TokenColumns::shard(Schema schema) const {
  ShardInfo info;
  info.schema = std::move(schema);
  info.has_weights = !config_.weight_column.empty();
  info.max_length = config_.max_length;
  info.kind = config_.text_pair_column.empty() ? "text" : "text_pair";
  info.tokenizer_sha256 = tokenizer_.sha256();
  return info;
}

bool TokenColumns::begin(const Row& row, const Encoding& encoding, Sample& sample, SampleSink& out) const {
  if (const std::string problem = problem_of(encoding); !problem.empty()) {
    out.refuse(BadRow(concat(row.place(), ": ", problem)));
    return false;
  }
  out.begin(row);
  sample.cells[kTokens].set(encoding.ids);
  if (has_segments_) sample.cells[kSegments].set(encoding.segments);
  if (encoding.truncated) ++out.report().truncated_rows;
  if (is_mostly_unknown(encoding))
    count_note(out.report(), "rows have mostly tokens that the tokenizer does not know", row.place());
  return true;
}

bool TokenColumns::is_mostly_unknown(const Encoding& encoding) const {
  return unknown_ && 2 * std::ranges::count(encoding.ids, *unknown_) > std::ssize(encoding.ids);
}

std::string TokenColumns::problem_of(const Encoding& encoding) const {
  if (encoding.ids.empty()) return "the text has no tokens";
  if (!encoding.truncated || config_.truncation != "error") return "";
  return concat("the text has ", encoding.full_length, " tokens, max_length is ", config_.max_length,
                "; raise it, or let data.truncation be \"right\" or \"left\"");
}

}  // namespace sft
