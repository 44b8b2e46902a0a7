#include "equivalence/questions.h"

#include <algorithm>
#include <functional>

#include "trainer/tasks/question_answering/rows/window_columns.h"

namespace sft::equivalence {
namespace {

constexpr int64_t kQuestion = 3;  // <cls> and two more tokens before the context

// Words of two letters with a space behind each: word k is the characters 3k and 3k + 1.
struct Drawn {
  int64_t num_windows = 1, num_words = 0;
  std::string context, answer;
  int64_t first_word = -1, last_word = -1;  // of the answer; −1: it has none
};

using Draw = std::function<int64_t(int64_t)>;  // below a number

Drawn draw_question(int64_t most_windows, int64_t words_of_window, const Draw& draw) {
  Drawn out;
  out.num_windows = 1 + draw(most_windows);
  out.num_words = out.num_windows * words_of_window / 2 + words_of_window / 2;  // each window shares half with the next
  for (int64_t k = 0; k < out.num_words; ++k) {
    out.context += static_cast<char>('a' + draw(3));
    out.context += static_cast<char>('p' + draw(2));
    out.context += ' ';
  }
  if (draw(4) == 0) return out;
  out.first_word = draw(out.num_words);
  out.last_word = std::min(out.first_word + draw(3), out.num_words - 1);
  out.answer = out.context.substr(static_cast<size_t>(3 * out.first_word),
                                  static_cast<size_t>(3 * (out.last_word - out.first_word) + 2));
  return out;
}

std::vector<uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }

Schema schema_of(int64_t vocab_size, int64_t longest) {
  const auto along = [](const char* name, Number number, const char* axis) {
    return Column{.name = name, .number = number, .axis = axis, .role = Role::note};
  };
  return {.columns = {{.name = "tokens", .number = Number::int32, .axis = "token", .bound = vocab_size},
                      span_column(longest),
                      along("first", Number::int32, "token"),
                      along("end", Number::int32, "token"),
                      along("context", Number::uint8, "context_byte"),
                      along("context_first", Number::int32, ""),
                      along("id", Number::uint8, "id_byte"),
                      along("answers", Number::uint8, "answer_byte"),
                      along("answer_ends", Number::int32, "answer")},
          .units = {"token"}};
}

Sample window_of(const Drawn& question, int64_t window, int64_t words_of_window, int64_t vocab_size,
                 const Schema& schema, const Draw& draw) {
  const int64_t base = window * words_of_window / 2;
  std::vector<int32_t> tokens, first, end, span{0, 0}, answer_ends;
  for (int64_t t = 0; t < kQuestion + words_of_window; ++t) {
    const int64_t word = base + t - kQuestion;
    const bool of_context = t >= kQuestion;
    tokens.push_back(static_cast<int32_t>(draw(vocab_size)));
    first.push_back(of_context ? static_cast<int32_t>(3 * word) : -1);
    end.push_back(of_context ? static_cast<int32_t>(3 * word + 2) : -1);
  }
  if (question.first_word >= base && question.last_word < base + words_of_window)
    span = {static_cast<int32_t>(question.first_word - base + kQuestion),
            static_cast<int32_t>(question.last_word - base + kQuestion)};
  if (!question.answer.empty()) answer_ends.push_back(static_cast<int32_t>(question.answer.size()));

  Sample sample(schema);
  const auto cell = [&](const char* name) -> Packed& { return sample.cells[schema.place(name)]; };
  cell("tokens").set(tokens);
  cell("span").set(span);
  cell("first").set(first);
  cell("end").set(end);
  cell("context").set(
      bytes(question.context.substr(static_cast<size_t>(3 * base), static_cast<size_t>(3 * words_of_window - 1))));
  cell("context_first").set(static_cast<int32_t>(3 * base));
  cell("id").set(bytes("q"));
  cell("answers").set(bytes(question.answer));
  cell("answer_ends").set(answer_ends);
  sample.weight = 0.5f + static_cast<float>(draw(100)) / 100.0f;
  return sample;
}

}  // namespace

MemoryDataset windows_of_questions(int64_t windows, int64_t vocab_size, int64_t longest, uint64_t seed) {
  uint64_t drawn = 0;
  const Draw draw = [&](int64_t below) {
    return static_cast<int64_t>(derive_key(seed, "question", drawn++) % static_cast<uint64_t>(below));
  };
  const Schema schema = schema_of(vocab_size, longest);
  std::vector<Sample> samples;
  int64_t row = 0;
  for (; std::ssize(samples) < windows; ++row) {
    const int64_t words = 2 * (1 + draw((longest - kQuestion) / 2));
    const Drawn question = draw_question(std::min<int64_t>(4, windows - std::ssize(samples)), words, draw);
    for (int64_t window = 0; window < question.num_windows; ++window) {
      samples.push_back(window_of(question, window, words, vocab_size, schema, draw));
      samples.back().row = row;
    }
  }
  return {schema, samples, row};
}

}  // namespace sft::equivalence
