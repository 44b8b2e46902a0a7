// CoNLL files: a word a line, its tag in the last column, a blank line behind each sentence. Columns are cut at tabs in
// a line that has one, at spaces otherwise. A sentence is a row with the lists `tokens` and, unless its lines hold
// nothing but words, `ner_tags`; columns in between are passed over, and so are lines that begin with -DOCSTART-, and
// comments in front of a sentence, as CoNLL-U ("# text = …") and WNUT ("# id …") have them. A sentence of CoNLL-U,
// whose first column counts its words, is a bad row.
#pragma once

#include "data/readers/reader.h"

namespace sft::conll {

std::unique_ptr<Reader> open(const std::string& path, const Place& begin, int64_t end);
Stretch survey(const std::string& path, int64_t begin, int64_t end);

}  // namespace sft::conll
