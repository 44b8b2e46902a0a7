// SQuAD's JSON, versions 1 and 2, which CMRC 2018 and DRCD write as well: data[].paragraphs[].{context, qas[].{id,
// question, answers[].{text, answer_start}, is_impossible}}. A row a question, with the cells id, question, context
// and, where they are there, answers and is_impossible. All rows start at the file's first byte; a row's line is that
// of its paragraph. In memory is one paragraph, and all ids.
#pragma once

#include "data/readers/reader.h"

namespace sft::squad {

// Whether the file is one JSON object with "data" and, in the first article, "paragraphs": a file of JSON lines is
// none.
bool is_squad(const std::string& path);

// BadRow for a paragraph or a question that lacks something, and for an id that stands twice; DataError for what is no
// JSON, or not laid out so.
std::unique_ptr<Reader> open(const std::string& path);

}  // namespace sft::squad
