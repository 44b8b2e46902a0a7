// Padded files of others: what is understood, and what is refused with its place. Files that h5py itself
// writes are read in tests/data/h5py.
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "data/samples/dataset.h"
#include "hdf5_files.h"

namespace sft::test {
namespace {

using Values = std::vector<int64_t>;
using Form = Hdf5File::Form;

constexpr int64_t kForeignRows = 5, kColumns = 4;
const Values kIds = {11, 12, 0, 0, 21, 22, 23, 24, 31, 0, 0, 0, 0, 0, 43, 44, 0, 52, 0, 0};  // 0 is also a token
const Values kMask = {1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0};
const std::vector<std::vector<int32_t>> kTokens = {{11, 12}, {21, 22, 23, 24}, {31}, {43, 44}, {0, 52, 0}};
const Values kLabels = {2, 0, 1, 1, 0};

Needs needed(const Column& target) { return {{.column = target}}; }

class Foreign : public ::testing::Test {
 protected:
  std::unique_ptr<Dataset> open() { return open_dataset({path_}); }
  void expect_tokens(const Dataset& dataset) {
    ASSERT_EQ(dataset.size(), kForeignRows);
    for (int64_t i = 0; i < kForeignRows; ++i) {
      const auto& wanted = kTokens[static_cast<size_t>(i)];
      EXPECT_EQ(dataset.length(i), static_cast<int64_t>(wanted.size())) << i;
      const Text example = text_of(dataset, i);
      EXPECT_EQ(example.tokens, wanted) << i;
      EXPECT_EQ(example.label, kLabels[static_cast<size_t>(i)]) << i;
      EXPECT_EQ(dataset.length(i), static_cast<int64_t>(wanted.size())) << i;
    }
  }
  void expect_refused(const std::string& why) {
    const std::string message = refusal<DataError>([&] {
      const auto dataset = open();
      for (int64_t i = 0; i < dataset->size(); ++i) text_of(*dataset, i);
    });
    EXPECT_NE(message.find(why), std::string::npos) << message;
    EXPECT_NE(message.find("foreign.h5"), std::string::npos) << message;
  }

  Folder folder_;
  std::string path_ = folder_ / "foreign.h5";
};

// Mutation: taking lengths from ids that differ from 0 loses the zeros of row 4.
TEST_F(Foreign, LengthsComeFromTheMaskWhereverThePaddingIs) {
  Hdf5File file(path_);
  file.add("input_ids", {kForeignRows, kColumns}, kIds);
  file.add("attention_mask", {kForeignRows, kColumns}, kMask);
  file.add("labels", {kForeignRows}, kLabels);
  file.close();
  const auto dataset = open();
  expect_tokens(*dataset);
  EXPECT_EQ(dataset->schema(), text_schema(label_column(3)));
  EXPECT_EQ(dataset->info().max_length, kColumns);
}

TEST_F(Foreign, IntegersOfAnyWidthAndOrderAndAnyStorageGiveTheSame) {
  const std::vector<hid_t> types = {H5T_STD_I8LE,  H5T_STD_U8LE,  H5T_STD_I16BE, H5T_STD_U16LE, H5T_STD_I32LE,
                                    H5T_STD_U32BE, H5T_STD_I64LE, H5T_STD_I64BE, H5T_STD_U64LE};
  const std::vector<Form> forms = {{.chunk = {}},
                                   {.chunk = {2, 3}},
                                   {.chunk = {1, 4}, .deflate = true},
                                   {.chunk = {5, 1}, .shuffle = true, .deflate = true},
                                   {.chunk = {3, 4}, .shuffle = true, .deflate = true, .fletcher32 = true},
                                   {.chunk = {2, 2}, .fletcher32 = true}};
  std::string fingerprint;
  for (const hid_t type : types) {
    for (Form form : forms) {
      Hdf5File file(path_);
      form.stored = type;
      file.add("input_ids", {kForeignRows, kColumns}, kIds, form);
      file.add("attention_mask", {kForeignRows, kColumns}, kMask, form);
      file.add("token_type_ids", {kForeignRows, kColumns}, kMask, form);
      if (!form.chunk.empty()) form.chunk = {2};
      file.add("labels", {kForeignRows}, kLabels, form);
      file.close();
      const auto dataset = open();
      expect_tokens(*dataset);
      EXPECT_EQ(text_of(*dataset, 1).segments, (std::vector<uint8_t>{1, 1, 1, 1}));
    }
  }
}

TEST_F(Foreign, TheFingerprintIsOfAllThatASampleIsMadeOf) {
  const auto print = [&](const Values& ids, const Values& mask, const Values& types, std::vector<double> weights) {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, ids);
    file.add("attention_mask", {kForeignRows, kColumns}, mask);
    file.add("token_type_ids", {kForeignRows, kColumns}, types);
    file.add("labels", {kForeignRows}, kLabels);
    if (!weights.empty()) file.add("weights", {kForeignRows}, weights);
    file.close();
    return open()->info().fingerprint;
  };
  const Values zeros(kForeignRows * kColumns, 0);
  const std::vector<double> ones(kForeignRows, 1.0);
  const auto with = [](auto values, size_t place, int value) {
    values[place] = value;
    return values;
  };
  const std::string first = print(kIds, kMask, zeros, ones);
  EXPECT_EQ(print(kIds, kMask, zeros, ones), first);
  EXPECT_NE(print(with(kIds, 1, 9), kMask, zeros, ones), first);
  const auto end_of_a_row = [](const Values& mask) {
    Values shorter = mask;
    for (size_t i = shorter.size(); i-- > 1;)
      if (shorter[i] == 1 && shorter[i - 1] == 1 && i % kColumns != 0) return shorter[i] = 0, shorter;
    return shorter;
  };
  EXPECT_NE(print(kIds, end_of_a_row(kMask), zeros, ones), first);
  EXPECT_NE(print(kIds, kMask, with(zeros, 0, 1), ones), first);
  EXPECT_NE(print(kIds, kMask, zeros, with(ones, 1, 3)), first);
  EXPECT_NE(print(kIds, kMask, zeros, {}), first);
}

TEST_F(Foreign, WithoutAMaskEveryTokenIsReal) {
  Hdf5File file(path_);
  file.add("input_ids", {kForeignRows, kColumns}, kIds);
  file.add("labels", {kForeignRows, 1}, kLabels);
  file.close();
  const auto dataset = open();
  EXPECT_EQ(text_of(*dataset, 0).tokens, (std::vector<int32_t>{11, 12, 0, 0}));
}

TEST_F(Foreign, LabelsThatSeemToBeCountedFromOneAreToldOf) {
  Hdf5File file(path_);
  file.add("input_ids", {8, 1}, Values{5, 6, 7, 8, 5, 6, 7, 8});
  file.add("labels", {8}, Values{1, 1, 1, 1, 1, 1, 1, 1});
  file.close();
  testing::internal::CaptureStderr();
  const auto dataset = open();
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("dataset 'labels': no row has the label 0, of 2 classes; are they counted from 1?"), told.npos)
      << told;
}

TEST_F(Foreign, OneHotRowsAreOneLabelEach) {
  std::vector<float> hot(kForeignRows * 3);
  for (size_t i = 0; i < kForeignRows; ++i) hot[3 * i + static_cast<size_t>(kLabels[i])] = 1.0f;
  {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, kIds);
    file.add("attention_mask", {kForeignRows, kColumns}, kMask);
    file.add("labels", {kForeignRows, 3}, hot);
    file.close();
    const auto dataset = open();
    expect_tokens(*dataset);
    EXPECT_EQ(target_count(dataset->schema()), 3);
  }
  // Where the form is not known, another matrix is another form; where one label is wanted, it is refused.
  for (const auto& [at, value, found] :
       std::initializer_list<std::tuple<size_t, float, Column>>{{4, 1.0f, label_set_column(3)},
                                                                {3, 0.5f, values_column(3)},
                                                                {5, -1.0f, values_column(3)},
                                                                {3, 0.0f, label_set_column(3)}}) {
    std::vector<float> other = hot;
    other[at] = value;  // in row 1, whose one is at 3
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, kIds);
    file.add("labels", {kForeignRows, 3}, other);
    file.close();
    const auto dataset = open();
    EXPECT_EQ(dataset->schema().columns[1], found);
    for (int64_t i = 0; i < kForeignRows; ++i) {
      const auto row = other.begin() + 3 * i;
      EXPECT_EQ(text_of(*dataset, i).values, std::vector<float>(row, row + 3)) << i;
    }
    EXPECT_NE(refusal<DataError>([&] {
                open_dataset({path_}, needed(label_column(0)));
              }).find("dataset 'labels', row 1: one label a sample is wanted"),
              std::string::npos);
  }
}

TEST_F(Foreign, TargetsAreReadInTheFormThatIsAskedFor) {
  std::vector<float> hot(kForeignRows * 3);
  for (size_t i = 0; i < kForeignRows; ++i) hot[3 * i + static_cast<size_t>(kLabels[i])] = 1.0f;
  const auto write = [&](const std::vector<hsize_t>& shape, const auto& values) {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, kIds);
    file.add("labels", shape, values);
    file.close();
  };
  const auto why = [&](const Column& target) {
    return refusal<DataError>([&] { open_dataset({path_}, needed(target)); });
  };

  write({kForeignRows, 3}, hot);  // a small validation file may have one label in each row by chance
  for (const auto column : {label_set_column, values_column}) {
    const auto dataset = open_dataset({path_}, needed(column(0)));
    EXPECT_EQ(dataset->schema().columns[1], column(3));
    EXPECT_EQ(text_of(*dataset, 1).values, (std::vector<float>{1, 0, 0}));
  }
  write({kForeignRows}, kLabels);  // whole numbers as real targets
  EXPECT_TRUE(has_target(open()->schema(), label_column(0)));
  const auto counted = open_dataset({path_}, needed(values_column(0)));
  EXPECT_EQ(target_count(counted->schema()), 1);
  EXPECT_EQ(text_of(*counted, 0).values, std::vector<float>{2});
  EXPECT_NE(why(label_set_column(0)).find("dataset 'labels', row 0: sets of labels are wanted"), std::string::npos);

  std::vector<double> numbers = {0.5, -1e3, 0, 2, 7};
  write({kForeignRows, 1}, numbers);
  EXPECT_TRUE(has_target(open()->schema(), values_column(0)));
  EXPECT_NE(why(label_column(0)).find("labels are float64; class ids must be integers"), std::string::npos);
  for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY), 1e39}) {
    numbers[3] = bad;
    write({kForeignRows}, numbers);
    expect_refused("dataset 'labels', row 3: ");
  }
}

TEST_F(Foreign, ProbabilitiesAndATeachersLogitsStandBesideTheLikeliestLabel) {
  std::vector<float> shares;
  std::vector<double> logits;
  for (size_t i = 0; i < kForeignRows; ++i) {
    shares.insert(shares.end(), {0.25f, 0.25f + static_cast<float>(i) / 16, 0.5f - static_cast<float>(i) / 16});
    logits.insert(logits.end(), {0.5 * static_cast<double>(i), -1, 2});
  }
  const auto write = [&] {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, kIds);
    file.add("token_type_ids", {kForeignRows, kColumns}, std::vector<int32_t>(kForeignRows * kColumns, 1));
    file.add("labels", {kForeignRows, 3}, shares);
    file.add("teacher_logits", {kForeignRows, 3}, logits);
    file.close();
  };
  const auto row_of = [&](const auto& all, int64_t i) {
    return std::vector<float>(all.begin() + 3 * i, all.begin() + 3 * i + 3);
  };
  write();
  const auto dataset = open_dataset({path_}, needed(label_column(0)));
  ASSERT_EQ(dataset->schema().columns.size(), 5u);
  EXPECT_EQ(dataset->schema().columns[3], distribution_column(3));
  EXPECT_EQ(dataset->schema().columns[4], teacher_logits_column(3));
  for (int64_t i = 0; i < kForeignRows; ++i) {
    Batch one(dataset->schema());
    dataset->append(i, one);
    EXPECT_EQ(one.at("labels").as<int64_t>()[0], i <= 1 ? 2 : 1) << "of equals the first";
    EXPECT_EQ(list_of<float>(one.at("distribution")), row_of(shares, i));
    EXPECT_EQ(list_of<float>(one.at("teacher_logits")), row_of(logits, i));
    Packed alone(Number::float32);
    dataset->append(i, 4, alone);
    EXPECT_EQ(alone, one.at("teacher_logits"));
  }
  const std::string before = dataset->info().fingerprint;
  logits[4] = NAN;
  write();
  EXPECT_NE(open_dataset({path_}, needed(label_column(0)))->info().fingerprint, before);
  EXPECT_NE(refusal<DataError>([&] {
              const auto damaged = open_dataset({path_}, needed(label_column(0)));
              for (int64_t i = 0; i < kForeignRows; ++i) text_of(*damaged, i);
            }).find("'teacher_logits', row 1: nan is not a finite number"),
            std::string::npos);
}

TEST_F(Foreign, ChunksThatWereNeverWrittenHoldTheFillValue) {
  Hdf5File file(path_);
  file.add("input_ids", {kForeignRows, kColumns}, kIds);
  const hdf5::Properties creation(H5Pcreate(H5P_DATASET_CREATE));
  const hsize_t chunk[] = {2, 2};
  const int64_t one = 1;
  H5Pset_chunk(creation.get(), 2, chunk);
  H5Pset_fill_value(creation.get(), H5T_NATIVE_INT64, &one);
  file.add("attention_mask", {kForeignRows, kColumns}, H5T_STD_I64LE, creation.get());
  file.add("labels", {kForeignRows}, kLabels);
  file.close();
  EXPECT_EQ(open()->length(0), kColumns);
}

TEST_F(Foreign, AnotherDatasetThatNobodyReadsIsNoReasonToRefuse) {
  Hdf5File file(path_);
  file.add("input_ids", {kForeignRows, kColumns}, kIds);
  file.add("attention_mask", {kForeignRows, kColumns}, kMask);
  file.add("labels", {kForeignRows}, kLabels);
  const hdf5::TypeId text(H5Tcopy(H5T_C_S1));
  H5Tset_size(text.get(), H5T_VARIABLE);
  const char* texts[] = {"a", "b"};
  file.add("texts", {2}, text.get(), H5P_DEFAULT, text.get(), texts);
  file.close();
  expect_tokens(*open());
}

struct Parts {
  Values ids = kIds, mask = kMask, labels = kLabels;
};

TEST_F(Foreign, RowsThatMakeNoSenseAreRefusedWithTheirPlace) {
  const auto refused = [&](const Parts& parts, const std::string& why) {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, parts.ids);
    file.add("attention_mask", {kForeignRows, kColumns}, parts.mask);
    file.add("labels", {kForeignRows}, parts.labels);
    file.close();
    expect_refused(why);
  };
  Parts parts;
  for (int64_t c = 0; c < kColumns; ++c) parts.mask[static_cast<size_t>(2 * kColumns + c)] = 0;
  refused(parts, "dataset 'attention_mask', row 2: all of it is masked");
  parts = {};
  parts.mask[1 * kColumns + 2] = 0;
  refused(parts, "dataset 'attention_mask', row 1: column 2 is 0");
  parts.mask[1 * kColumns + 2] = 7;
  refused(parts, "dataset 'attention_mask', row 1: column 2 is 7");
  parts = {};
  parts.ids[1 * kColumns] = -1;
  refused(parts, "dataset 'input_ids', row 1: -1 is outside");
  parts.ids[1 * kColumns] = int64_t{1} << 40;
  refused(parts, "dataset 'input_ids', row 1: 1099511627776 is outside");
  parts = {};
  parts.labels[3] = -100;
  refused(parts, "dataset 'labels', row 3: label -100");
}

TEST_F(Foreign, ShapesAndTypesThatDoNotFitAreNamed) {
  {
    Hdf5File file(path_);
    file.add("inputs", {kForeignRows, kColumns}, kIds);
    file.close();
    expect_refused("there is no dataset 'input_ids' (did you mean 'inputs'?)");
  }
  {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, kIds);
    file.close();
    expect_refused("there is no dataset 'labels'");
  }
  {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows * kColumns}, kIds);
    file.add("labels", {kForeignRows}, kLabels);
    file.close();
    expect_refused("dataset 'input_ids': its shape is [20], and [samples, tokens]");
  }
  {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, kIds);
    file.add("attention_mask", {kColumns, kForeignRows}, kMask);
    file.add("labels", {kForeignRows}, kLabels);
    file.close();
    expect_refused("dataset 'attention_mask': its shape is [4, 5], and [5, 4] belongs there");
  }
  {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, std::vector<double>(kForeignRows * kColumns));
    file.add("labels", {kForeignRows}, kLabels);
    file.close();
    expect_refused("dataset 'input_ids': is float64, and integers are read");
  }
  {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, kIds);
    file.add("labels", {kForeignRows}, std::vector<float>(kForeignRows, 0.5f));
    file.close();
    EXPECT_TRUE(has_target(open()->schema(), values_column(0)));
  }
  {
    Hdf5File file(path_);
    file.add("input_ids", {0, kColumns}, Values{});
    file.add("labels", {0}, Values{});
    file.close();
    expect_refused("dataset 'input_ids': it has no rows");
  }
}

TEST_F(Foreign, NumbersBeyondTheModelsTablesAreRefusedBeforeTheyAreTrainedOn) {
  const Needs model = {
      {.column = {.name = "tokens", .number = Number::int32, .axis = "token", .bound = 53}},
      {.column = {.name = "segments", .number = Number::uint8, .axis = "token", .bound = 2}, .if_there = true}};
  const auto write = [&](int64_t segment) {
    Hdf5File file(path_);
    file.add("input_ids", {kForeignRows, kColumns}, kIds);
    file.add("attention_mask", {kForeignRows, kColumns}, kMask);
    Values segments(kForeignRows * kColumns);
    segments[3 * kColumns] = 9;  // behind the mask
    segments[3 * kColumns + 2] = segment;
    file.add("token_type_ids", {kForeignRows, kColumns}, segments);
    file.add("labels", {kForeignRows}, kLabels);
    file.close();
  };
  const auto why = [&](const Needs& needs, Shard mine) {
    return refusal<DataError>([&] { open()->require(needs, mine); });
  };
  const std::string fits = "(nothing was refused)";
  write(1);
  EXPECT_EQ(why(model, {}), fits);
  Needs smaller = model;
  smaller[0].column.bound = 52;
  EXPECT_NE(why(smaller, {}).find("foreign.h5', dataset 'input_ids', row 4: 52 is outside 0 … 51"), std::string::npos);
  EXPECT_EQ(why(smaller, {0, 2}), fits) << "each rank looks at its part";
  const auto unread = open();
  unread->require(smaller, {0, 2});
  EXPECT_THROW(text_of(*unread, 4), DataError) << "and every row is compared when it is read";
  write(2);
  EXPECT_NE(why(model, {}).find("dataset 'token_type_ids', row 3: 2 is outside 0 … 1"), std::string::npos);
}

TEST_F(Foreign, OnlyOneSuchFileIsReadAtATime) {
  Hdf5File file(path_);
  file.add("input_ids", {kForeignRows, kColumns}, kIds);
  file.add("labels", {kForeignRows}, kLabels);
  file.close();
  EXPECT_NE(refusal<DataError>([&] { open_dataset({path_, path_}); }).find("only one file"), std::string::npos);
}

}  // namespace
}  // namespace sft::test
