// A row belongs to the range in which the first line of its sentence begins.
#include "data/readers/conll.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "data/readers/lines.h"
#include "data/readers/window.h"

namespace sft::conll {
namespace {

constexpr char kTokens[] = "tokens", kTags[] = "ner_tags";

// What stands before a byte.
enum State : uint8_t {
  kBetween,      // a line starts, and no sentence is open
  kOpen,         // a line starts inside a sentence
  kWord,         // a line with something in it
  kBlank,        // a line that is blank so far; no sentence is open
  kBlankInside,  // a line that is blank so far; it may end a sentence
};

State step(State state, char byte) {
  if (byte == '\n') return state == kWord ? kOpen : kBetween;
  if (byte != ' ' && byte != '\t' && byte != '\r') return kWord;
  switch (state) {
    case kBetween:
      return kBlank;
    case kOpen:
      return kBlankInside;
    default:
      return state;
  }
}

struct Columns {
  std::string_view first, last;
  bool is_one = false;
  size_t count = 1;
};

Columns cut(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  const bool tabs = line.find('\t') != line.npos;
  const std::string_view separators = tabs ? "\t" : " ";
  if (!tabs) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    line = line.substr(0, line.find_last_not_of(' ') + 1);
  }
  const size_t first = line.find_first_of(separators), last = line.find_last_of(separators);
  if (first == line.npos) return {line, {}, true};
  const auto count = static_cast<size_t>(std::count(line.begin(), line.end(), separators[0])) + 1;
  return {line.substr(0, first), line.substr(last + 1), false, count};
}

bool is_comment(std::string_view line) {
  if (!line.starts_with("# ")) return false;
  line.remove_prefix(2);
  const size_t end = std::min(line.find_first_of(" \t\r\n"), line.size());
  const std::string_view word = line.substr(0, end);
  for (const std::string_view known : {"id", "newdoc", "newpar"})
    if (word == known) return true;
  return line.substr(end).starts_with(" = ") || word == "sent_id" || word == "text";
}

// Whether the words are 1, 2, 3, …: a column of numbers in front of them.
bool are_counted(const Cell& words) {
  for (size_t i = 0; i < words.items.size(); ++i)
    if (words.items[i].text != std::to_string(i + 1)) return false;
  return words.items.size() > 1;
}

class ConllReader final : public Reader {
 public:
  ConllReader(const std::string& path, const Place& begin, int64_t end)
      : lines_(path, begin, "a word and its tag a line are wanted"),
        end_(end),
        state_(static_cast<State>(begin.state)) {}

  bool next(Row& row) override {
    finish_started();
    std::string_view line;
    while (lines_.position() < end_ && lines_.next(line)) {
      if (is_blank(line)) continue;
      if (read_sentence(line, row)) return true;
    }
    return false;
  }

 private:
  // Passes over the rest of a sentence that started before.
  void finish_started() {
    std::string_view line;
    while (state_ != kBetween && lines_.next(line)) {
      for (const char byte : line) state_ = step(state_, byte);
    }
    state_ = kBetween;
  }

  // Reads on from the sentence's first line up to the blank one behind it, whatever is wrong with it; false where
  // nothing of it is a word.
  bool read_sentence(std::string_view line, Row& row) {
    row.line = lines_.number();
    start(tokens_);
    start(tags_);
    std::string problem;
    size_t bytes = 0;
    do {
      bytes += line.size();
      if (static_cast<int64_t>(bytes) > kMostRowBytes)
        throw DataError(concat(lines_.path(), ":", row.line, ": the sentence that starts here does not end within ",
                               human_bytes(static_cast<double>(kMostRowBytes)), "; a blank line ends one"));
      if (problem.empty()) problem = add(line, row.line);
    } while (lines_.next(line) && !is_blank(line));
    if (problem.empty() && num_columns_ > 3 && are_counted(tokens_))
      problem = concat(row.line,
                       ": the words of this sentence are 1, 2, 3, …, as in CoNLL-U, where they stand in the "
                       "second column; wanted: the word in the first, its tag in the last");
    if (!problem.empty()) throw BadRow(concat(lines_.path(), ":", problem));
    if (tokens_.items.empty()) return false;
    row.clear();
    if (!tags_.items.empty()) std::swap(row.add(kTags), tags_);
    std::swap(row.add(kTokens), tokens_);
    return true;
  }

  static void start(Cell& list) {
    list.kind = Cell::Kind::list;
    list.text = "array";
    list.items.clear();
  }

  // Returns line and problem where something is wrong, "" where nothing is.
  std::string add(std::string_view line, int64_t first_line) {
    const int64_t here = lines_.number();
    if (!is_valid_utf8(line)) return concat(here, ": ", utf8_problem(line));
    const Columns columns = cut(line);
    if (columns.first == "-DOCSTART-" || (tokens_.items.empty() && is_comment(line))) return "";
    const size_t last = line.find_last_not_of("\r\n"), lone = line.find('\r');
    if (last != line.npos && lone < last)
      return concat(here,
                    ": a carriage return stands in the line, and line feeds end lines; of a file whose lines end in "
                    "carriage returns alone, tr '\\r' '\\n' < FILE > NEW makes one that is read");
    if (columns.first.empty()) return concat(here, ": the first column, the word, is empty");
    const auto untagged = [](int64_t number, std::string_view word) {
      return concat(number, ": the word ", in_quotes(word, 40), " has no tag; its sentence has others that do");
    };
    if (!columns.is_one && columns.last.empty()) return untagged(here, columns.first);
    if (columns.is_one && !tags_.items.empty()) return untagged(here, columns.first);
    if (!columns.is_one && tags_.items.size() < tokens_.items.size())
      return untagged(first_line, tokens_.items.front().text);
    num_columns_ = columns.count;
    put(tokens_, columns.first);
    if (!columns.is_one) put(tags_, columns.last);
    return "";
  }

  static void put(Cell& list, std::string_view text) {
    Cell& item = list.items.emplace_back();
    item.kind = Cell::Kind::text;
    item.text.assign(text);
  }

  Lines lines_;
  int64_t end_;
  State state_;
  Cell tokens_, tags_;  // of the sentence that is being read
  size_t num_columns_ = 0;
};

}  // namespace

std::unique_ptr<Reader> open(const std::string& path, const Place& begin, int64_t end) {
  return std::make_unique<ConllReader>(path, begin, end);
}

Stretch survey(const std::string& path, int64_t begin, int64_t end) {
  Stretch stretch;
  size_t mark = begin == 0 ? static_cast<size_t>(byte_order_mark(InputFile(path))) : 0;
  for_each_block(path, begin, end, [&](std::string_view block) {
    stretch.bytes += static_cast<int64_t>(block.size());
    stretch.line_breaks += std::count(block.begin(), block.end(), '\n');
    if (mark > 0) stretch.leaves[kBetween] = kBlank;  // a line has begun
    block.remove_prefix(std::min(std::exchange(mark, 0), block.size()));
    for (uint8_t& leaves : stretch.leaves) {
      auto state = static_cast<State>(leaves);
      for (const char byte : block) state = step(state, byte);
      leaves = state;
    }
  });
  return stretch;
}

}  // namespace sft::conll
