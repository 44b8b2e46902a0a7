#include "trainer/tasks/recipes/shown_sample.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/text.h"
#include "trainer/tasks/causal_lm/rows/columns.h"
#include "trainer/tasks/seq2seq_lm/rows/columns.h"

namespace sft {
namespace {

using Ids = std::span<const int32_t>;

// On one line, and without what a terminal would take for an order.
std::string on_a_line(std::string text) {
  for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3) text.replace(at, 1, "⏎");
  return escaped(text);
}

struct Marks {
  const char *before, *behind;
};

std::string marked(Ids tokens, Ids spans, const Tokenizer& tokenizer, const Marks& marks) {
  std::string out;
  size_t at = 0;
  const auto add = [&](int32_t end) {
    out += on_a_line(tokenizer.decode(tokens.subspan(at, static_cast<size_t>(end) - at)));
    at = static_cast<size_t>(end);
  };
  for (size_t s = 0; s + 1 < spans.size(); s += 2) {
    add(spans[s]);
    out += marks.before;
    add(spans[s + 1]);
    out += marks.behind;
  }
  add(static_cast<int32_t>(tokens.size()));
  return out;
}

// ", 7 trained (14 %), the last is <|im_end|>"
std::string counted(Ids tokens, Ids spans, const Tokenizer& tokenizer) {
  int64_t trained = 0;
  for (size_t s = 0; s + 1 < spans.size(); s += 2) trained += std::max(spans[s + 1] - std::max(spans[s], 1), 0);
  const double share = 100.0 * static_cast<double>(trained) / static_cast<double>(std::max<size_t>(tokens.size(), 1));
  std::string out = concat(", ", trained, " trained (", std::round(share), " %)");
  if (spans.empty()) return out;
  const auto last = static_cast<size_t>(spans.back() - 1);
  return out + concat(", the last is ", on_a_line(tokenizer.decode(tokens.subspan(last, 1))));
}

template <class T>
std::string list_of(const Packed& cell) {
  std::vector<std::string> numbers;
  for (const T number : cell.as<T>()) numbers.push_back(concat(number));
  return join(numbers, ", ");
}

std::string target_of(const Column& column, const Packed& cell, const StringList& names) {
  if (column.number == Number::int64 && cell.size() == 1) {
    const int64_t label = cell.as<int64_t>()[0];
    if (label >= 0 && label < std::ssize(names)) return escaped(names[static_cast<size_t>(label)]);
  }
  switch (column.number) {
    case Number::uint8:
      return list_of<uint8_t>(cell);
    case Number::int32:
      return list_of<int32_t>(cell);
    case Number::int64:
      return list_of<int64_t>(cell);
    case Number::float32:
      return list_of<float>(cell);
  }
  return "";
}

}  // namespace

std::string shown_sample(const Dataset& dataset, int64_t i, const Tokenizer& tokenizer, const Tokenizer& of_targets,
                         bool colour) {
  Batch read(dataset.schema());
  dataset.append(i, read);
  const Batch& one = read;
  const auto ids_in = [&](const char* column) {
    return dataset.schema().find(column) == nullptr ? Ids() : one.at(column).as<int32_t>();
  };
  const Ids tokens = ids_in(causal::kTokens), spans = ids_in(causal::kSpans), target = ids_in(seq2seq::kTargetTokens);
  const Marks marks = colour ? Marks{"\x1b[32m", "\x1b[0m"} : Marks{"[[", "]]"};
  std::string out = concat("row ", one.rows[0], "  ", tokens.size() + target.size(),
                           tokens.size() + target.size() == 1 ? " token" : " tokens");
  if (dataset.schema().find(causal::kSpans) != nullptr) out += counted(tokens, spans, tokenizer);
  if (!target.empty()) out += concat(", ", target.size(), " of them trained");
  out += concat("\n", marked(tokens, spans, tokenizer, marks), "\n");
  const std::vector<int32_t> all = {0, static_cast<int32_t>(target.size())};
  if (!target.empty()) out += concat("→ ", marked(target, all, of_targets, marks), "\n");
  for (size_t c = 0; c < one.columns.size(); ++c) {
    const Column& column = dataset.schema().columns[c];
    const bool is_shown = column.name == causal::kSpans || column.name == seq2seq::kTargetTokens;
    if (column.role != Role::target || is_shown) continue;
    out += concat(column.name, ": ", target_of(column, one.columns[c], dataset.info().label_names), "\n");
  }
  return out;
}

}  // namespace sft
