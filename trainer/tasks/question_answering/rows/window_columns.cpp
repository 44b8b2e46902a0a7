#include "trainer/tasks/question_answering/rows/window_columns.h"

#include <algorithm>
#include <array>

#include "trainer/tasks/question_answering/rows/window_target.h"

namespace sft {
namespace {

bool tells_segments(const Tokenizer& tokenizer) {
  return std::ranges::any_of(tokenizer.encode_pair("a", "b").segments, [](uint8_t id) { return id != 0; });
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void set_text(Packed& cell, std::string_view text) {
  cell.clear();
  cell.append(bytes_of(text));
}

}  // namespace

WindowColumns::WindowColumns(const Tokenizer& tokenizer, int64_t max_length, WindowUse use)
    : has_segments_(tells_segments(tokenizer)), use_(use) {
  const auto along = [&](const char* name, Number number, const char* axis, Role role, int64_t bound = 0) {
    schema_.columns.push_back({.name = name, .number = number, .axis = axis, .bound = bound, .role = role});
  };
  schema_.units = {"token"};
  along("tokens", Number::int32, "token", Role::input, tokenizer.vocab_size());
  schema_.columns.push_back(span_column(max_length));
  if (has_segments_) along("segments", Number::uint8, "token", Role::input);
  if (use_ == WindowUse::training) {
    along("no_answer", Number::uint8, "", Role::target);
    return;
  }
  along("first", Number::int32, "token", Role::note);
  along("end", Number::int32, "token", Role::note);
  along("context", Number::uint8, "context_byte", Role::note);
  along("context_first", Number::int32, "", Role::note);
  along("id", Number::uint8, "id_byte", Role::note);
  along("answers", Number::uint8, "answer_byte", Role::note);
  along("answer_ends", Number::int32, "answer", Role::note);
}

void WindowColumns::put(const ContextWindow& window, const Question& question, Sample& sample) const {
  const std::array<int32_t, 2> target = target_of(window, question);
  cell(sample, "tokens").set(window.ids);
  cell(sample, "span").set(std::vector<int32_t>(target.begin(), target.end()));
  if (has_segments_) cell(sample, "segments").set(window.segments);
  if (use_ == WindowUse::scoring) put_notes(window, question, sample);
  if (use_ == WindowUse::training) cell(sample, "no_answer").set(static_cast<uint8_t>(question.answers.empty()));
}

void WindowColumns::put_notes(const ContextWindow& window, const Question& question, Sample& sample) const {
  const ContextPiece piece = piece_of(window, question.context);
  cell(sample, "first").set(window.first);
  cell(sample, "end").set(window.end);
  set_text(cell(sample, "context"), piece.text);
  cell(sample, "context_first").set(piece.first);
  set_text(cell(sample, "id"), question.id);
  std::string answers;
  std::vector<int32_t> ends;
  for (const MarkedAnswer& answer : question.answers) {
    answers += answer.text;
    ends.push_back(static_cast<int32_t>(answers.size()));
  }
  set_text(cell(sample, "answers"), answers);
  cell(sample, "answer_ends").set(ends);
}

bool lacks_answers(const Schema& schema) {
  const Column* found = schema.find("no_answer");
  return found != nullptr && found->bound > 1;
}

std::vector<std::string> kept_answers(std::span<const uint8_t> answers, std::span<const int32_t> ends) {
  std::vector<std::string> out;
  size_t begin = 0;
  for (const int32_t end : ends) {
    const auto size = static_cast<size_t>(end) - begin;
    out.emplace_back(text_in(answers.subspan(begin, size)));
    begin += size;
  }
  return out;
}

}  // namespace sft
