#include "trainer/tasks/seq2seq_lm/rows/pair.h"

#include "base/text.h"
#include "data/prepare/input.h"
#include "trainer/tasks/recipes/cells.h"

namespace sft::seq2seq {
namespace {

constexpr char kTranslation[] = "translation";

bool says_nothing(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

const std::string& text_in(const Cell& cell) {
  const std::string& text = string_in(cell);
  if (says_nothing(text)) throw CellProblem{"is empty"};
  return text;
}

// Of the object `translation`. `key`: the setting that names the language.
const std::string& text_of_language(const Row& row, const Cell& translation, const std::string& language,
                                    const char* key) {
  if (translation.kind != Cell::Kind::nested)
    throw BadRow(
        concat(row.place(), ": column 'translation' wanted an object of languages, found ", describe(translation)));
  if (language.empty())
    throw BadRow(concat(row.place(), ": has a translation, and ", key, " does not say which of its languages is read; ",
                        "it has: ", list_of_columns(translation.names, "")));
  const Cell* text = translation.find(language);
  if (text == nullptr)
    throw BadRow(concat(row.place(), ": its translation has no ", in_quotes(language), " (", key,
                        "); it has: ", list_of_columns(translation.names, language)));
  try {
    return text_in(*text);
  } catch (const CellProblem& problem) {
    throw BadRow(concat(row.place(), ": its translation's ", in_quotes(language), " (", key, ") ", problem.what));
  }
}

bool has_answer(const Cell* cell) { return cell != nullptr && cell->kind != Cell::Kind::null; }

[[noreturn]] void refuse_form(const Row& row, const PairConfig& config) {
  throw BadRow(concat(row.place(), ": wanted ", in_quotes(config.source_column), " and ",
                      in_quotes(config.target_column), " (data.source_column, data.target_column), or translation; ",
                      "the row has: ", list_of_columns(row.names(), config.source_column)));
}

}  // namespace

Pair read_pair(const Row& row, const PairConfig& config, bool answers) {
  Pair out{.row = &row};
  if (row.find(config.source_column) != nullptr) {
    out.source = read_cell(row, {"source_column", config.source_column}, text_in);
    if (answers || has_answer(row.find(config.target_column)))
      out.target = read_cell(row, {"target_column", config.target_column}, answers ? text_in : string_in);
    return out;
  }
  const Cell* translation = row.find(kTranslation);
  if (translation == nullptr) refuse_form(row, config);
  out.source = text_of_language(row, *translation, config.source_lang, "data.source_lang");
  if (answers || (!config.target_lang.empty() && has_answer(translation->find(config.target_lang))))
    out.target = text_of_language(row, *translation, config.target_lang, "data.target_lang");
  return out;
}

}  // namespace sft::seq2seq
