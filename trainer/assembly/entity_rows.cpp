#include "trainer/assembly/entity_rows.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "data/prepare/sample.h"
#include "data/prepare/tokenize.h"
#include "data/readers/reader.h"
#include "trainer/assembly/datasets.h"
#include "trainer/metrics/entities.h"

namespace sft {
namespace {

using nlohmann::ordered_json;

// Which words speak, each by its first token; rising.
std::vector<size_t> words_that_speak(const Encoding& encoding) {
  std::vector<size_t> out;
  for (const int32_t word : encoding.words)
    if (word >= 0 && (out.empty() || static_cast<size_t>(word) != out.back())) out.push_back(static_cast<size_t>(word));
  return out;
}

// Characters before a byte of UTF-8.
int64_t characters_before(const std::string& text, size_t byte) {
  return std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

ordered_json entities_of(const Words& words, const std::vector<size_t>& speaking, const std::vector<std::string>& tags,
                         const std::vector<double>& scores) {
  const Tagging tagging(tags);  // each word's tag a label of its own
  std::vector<int64_t> ids(tags.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
  auto out = ordered_json::array();
  if (!tagging.marks_entities()) return out;
  for (const Entity& entity : tagging.entities(ids)) {
    const auto first = static_cast<size_t>(entity.first), last = static_cast<size_t>(entity.end) - 1;
    const size_t begin = words.begins[speaking[first]],
                 end = words.begins[speaking[last]] + words.words[speaking[last]].size();
    out.push_back({{"type", tagging.types()[static_cast<size_t>(entity.type)]},
                   {"start", characters_before(words.text, begin)},
                   {"end", characters_before(words.text, end)},
                   {"text", words.text.substr(begin, end - begin)},
                   {"score", *std::min_element(scores.begin() + entity.first, scores.begin() + entity.end)}});
  }
  return out;
}

}  // namespace

class EntityRows::Source {
 public:
  Source(PrepareRequest request, const DataConfig& config, const Tokenizer& tokenizer)
      : files_(std::move(request.files)), config_(config), tokenizer_(tokenizer), columns_(request, config_) {}

  // Leaves row `index` in `words`, and its tokens in `encoding`.
  void read(int64_t index, Words& words, Encoding& encoding) {
    for (; next_ <= index; ++next_)
      if (!read_next(words, encoding))
        throw DataError(concat(files_.back(), ": row ", index, " is gone; was the file changed?"));
  }

 private:
  // The next row that prepare has kept.
  bool read_next(Words& words, Encoding& encoding) {
    while (file_ < files_.size()) {
      if (!reader_) reader_ = open_reader(files_[file_]);
      try {
        if (!reader_->next(row_)) {
          reader_.reset();
          ++file_;
          continue;
        }
        columns_.read(row_, files_[file_], sample_);
      } catch (const BadRow&) {
        continue;  // left out, or told, when it was prepared
      }
      encoding = std::move(tokenizer_.encode_words({sample_.words.words}).front());
      if (!problem_of(encoding, config_).empty()) continue;
      words = sample_.words;
      return true;
    }
    return false;
  }

  std::vector<std::string> files_;
  DataConfig config_;
  const Tokenizer& tokenizer_;
  Columns columns_;
  std::unique_ptr<Reader> reader_;
  size_t file_ = 0;
  int64_t next_ = 0;
  Row row_;
  TextRow sample_;
};

EntityRows::EntityRows(PrepareRequest request, const DataConfig& config, const Tokenizer& tokenizer)
    : source_(std::make_unique<Source>(std::move(request), config, tokenizer)) {}
EntityRows::~EntityRows() = default;

std::string EntityRows::finish(int64_t row, const std::string& json) {
  Words words;
  Encoding encoding;
  source_->read(row, words, encoding);
  const auto predicted = nlohmann::json::parse(json);
  const auto tags = predicted.at("tags").get<std::vector<std::string>>();
  const auto scores = predicted.at("scores").get<std::vector<double>>();
  const std::vector<size_t> speaking = words_that_speak(encoding);
  if (speaking.size() != tags.size())
    throw DataError(concat("row ", row, " has ", speaking.size(), " words with tokens and ", tags.size(),
                           " predictions; was its file changed?"));
  auto by_word = ordered_json::array();
  for (size_t i = 0; i < words.words.size(); ++i) by_word.push_back(nullptr);
  for (size_t i = 0; i < tags.size(); ++i) by_word[speaking[i]] = tags[i];
  return ordered_json{{"entities", entities_of(words, speaking, tags, scores)}, {"tags", by_word}}.dump();
}

RowWriter::Finish entities_of_rows(const std::string& task, const PrepareRequest& request, const DataConfig& config,
                                   const Tokenizer* tokenizer) {
  if (task != "token_classification" || is_prepared(request.files.front())) return {};
  PrepareRequest tagged = request;
  tagged.target = TargetForm::token_labels;
  const auto rows = std::make_shared<EntityRows>(std::move(tagged), config, *tokenizer);
  return [rows](int64_t row, const std::string& json) { return rows->finish(row, json); };
}

}  // namespace sft
