// What help says of the files that the readers read (readers.cpp).
#pragma once

#include <string_view>

namespace sft {

// Of data.train_file.
inline constexpr std::string_view kTrainFileHelp =
    "training rows: .jsonl .json .csv .tsv (also .gz .zst) .parquet .arrow .h5, a directory of datasets, tagged "
    "words also .conll, questions also SQuAD's .json; a glob or a list";

// Of `predict --input`.
inline constexpr char kInputHelp[] =
    "rows: .jsonl, .json, .csv or .tsv, also .gz and .zst, .parquet, .arrow, a directory of datasets, words "
    "also .conll, questions also SQuAD's .json, labels not needed; or images and directories of them; -: "
    "rows from standard input";

}  // namespace sft
