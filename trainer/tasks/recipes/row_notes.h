// Notes beside the samples of labelled test rows, for whoever looks at predictions afterwards: how the text of a row
// begins, how long it is, and where the row stands.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "data/samples/batch.h"
#include "trainer/tasks/recipes/text_rows.h"

namespace sft {

// At most 240 bytes of a text, cut at the start of a character, then "…" where it is longer.
std::string beginning_of(std::string_view text);

// "text": at most 240 bytes of the text, then "…" where it is longer; "characters": of the whole text and its pair;
// "place": Row::place().
const std::vector<Column>& row_notes();

bool has_row_notes(const Schema& schema);
void put_row_notes(const TextRow& row, const Schema& schema, Sample& sample);

// Adds the notes of sample b to its prediction, by the names of their columns.
void tell_row_notes(const Batch& batch, size_t b, nlohmann::ordered_json& prediction);

}  // namespace sft
