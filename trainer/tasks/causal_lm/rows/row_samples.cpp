#include "trainer/tasks/causal_lm/rows/row_samples.h"

#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "data/prepare/report.h"
#include "trainer/tasks/causal_lm/rows/columns.h"

namespace sft::causal {
namespace {

// Of tokens that no cut changes.
void note_untrained(const Row& row, int64_t straddling, const TurnsLeftOut& left_out, PrepareReport& report) {
  const auto note = [&](size_t turns, const char* what) {
    if (turns > 0) count_note(report, what, concat(row.place(), ", ", turns, turns == 1 ? " turn" : " turns"));
  };
  if (straddling > 0)
    count_note(report, "rows have a token that begins before what is trained and ends in it; it is not trained",
               row.place());
  note(left_out.rendered_otherwise,
       "rows have turns of the assistant that the chat template renders otherwise when more turns follow; they are not "
       "trained");
  note(left_out.not_as_asked,
       "rows have turns of the assistant that do not begin with the chat template's prompt for an answer, which may "
       "open a thought that they lack; they are not trained. Write them as the prompt goes on, or name a template in "
       "data.chat_template whose prompt they begin with");
}

}  // namespace

RowSamples::RowSamples(const Tokenizer& tokenizer, const ModelFacts& facts, const std::string& truncation, bool answers,
                       SampleSink& out)
    : tokenizer_(tokenizer),
      facts_(facts),
      truncation_(truncation),
      answers_(answers),
      out_(out),
      sample_(sample_schema(tokenizer.vocab_size(), facts.max_length())) {}

void RowSamples::append(const Conversation& read, SpannedTokens tokens, const TurnsLeftOut& left_out) {
  const Row& row = *read.row;
  check(row, tokens);
  const auto length = static_cast<int64_t>(tokens.ids.size()), most = facts_.max_length();
  if (length > most && truncation_ == "error")
    throw BadRow(concat(row.place(), ": has ", length, " tokens, max_length is ", most,
                        "; raise it, or let data.truncation be drop, right or left"));
  const int64_t straddling = tokens.straddling;
  const std::vector<SpannedTokens> pieces = fitted(std::move(tokens), most, truncation_);
  out_.begin(row);
  PrepareReport& report = out_.report();
  if (length > most && pieces.empty())
    count_note(report, concat("rows have more than max_length = ", most, " tokens and are left out"),
               concat(row.place(), " with ", length));
  if (length > most && pieces.size() == 1) ++report.truncated_rows;
  note_untrained(row, straddling, left_out, report);
  sample_.weight = read.weight;
  bool any = false;
  for (const SpannedTokens& piece : pieces) any = append_piece(piece) || any;
  if (!any && !pieces.empty())
    count_note(report, "rows have no token left to be trained and are left out", row.place());
}

// What no cut could heal.
void RowSamples::check(const Row& row, const SpannedTokens& tokens) const {
  if (tokens.ids.empty()) throw BadRow(concat(row.place(), ": the text has no tokens"));
  const auto largest = std::ranges::max_element(tokens.ids);
  if (facts_.vocab_size() > 0 && *largest >= facts_.vocab_size())
    throw DataError(concat(row.place(), ": token ", in_quotes(tokenizer_.decode(std::vector<int32_t>{*largest})),
                           " has the id ", *largest, ", and the model knows ", facts_.vocab_size(),
                           " tokens (the tokenizer ", tokenizer_.vocab_size(),
                           "). The model is not enlarged: its vocab_size in config.json and its embeddings must have "
                           "a row for each token"));
  const int32_t bos = facts_.bos_id();
  if (bos >= 0 && tokens.ids.size() > 1 && tokens.ids[0] == bos && tokens.ids[1] == bos)
    throw BadRow(concat(row.place(), ": begins with ", in_quotes(tokenizer_.decode(std::vector<int32_t>{bos})),
                        " twice, of which one stands in the text and one is put there"));
}

// False where the piece trains nothing, and is no sample.
bool RowSamples::append_piece(const SpannedTokens& piece) {
  const int64_t trained = piece.num_trained();
  if (answers_ && trained == 0) return false;
  std::vector<int32_t> spans;
  for (const TokenSpan& span : piece.spans) spans.insert(spans.end(), {span.begin, span.end});
  sample_.cells[0].set(piece.ids);
  sample_.cells[1].set(spans);
  out_.append(sample_);
  if (answers_) out_.report().trained_units = std::max<int64_t>(out_.report().trained_units, 0) + trained;
  return true;
}

}  // namespace sft::causal
