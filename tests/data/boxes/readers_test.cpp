// COCO's JSON, VOC's XML, YOLO's text and HDF5, read into the same samples; and what is told of bad ones.
#include <nlohmann/json.hpp>

#include "boxes_fixture.h"
#include "data/hdf5/handle.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr char kXml[] = R"(<?xml version="1.0"?>
<!-- by hand -->
<annotation verified="yes"><filename>other.jpg</filename>
  <size><width>40</width><height>20</height><depth>3</depth></size>
  <object><name>cat &amp; dog</name><difficult>1</difficult>
    <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>
    <bndbox><xmin>1</xmin><ymin>3</ymin><xmax>10</xmax><ymax>8.0</ymax></bndbox></object>
  <object><name>ant</name><bndbox><xmin>11</xmin><ymin>1</ymin><xmax>40</xmax><ymax>20</ymax></bndbox></object>
</annotation>)";

json coco() {
  return {
      {"info", {{"year", 2017}}},
      {"annotations",
       {{{"id", 5}, {"image_id", 9}, {"category_id", 90}, {"bbox", {0, 2, 10, 6}}, {"area", 2000.0}, {"iscrowd", 0}},
        {{"id", 6},
         {"image_id", 9},
         {"category_id", 3},
         {"bbox", {10.5, 0, 29.5, 20}},
         {"iscrowd", 1},
         {"segmentation", {{"counts", {1, 2}}, {"size", {20, 40}}}}}}},
      {"images",
       {{{"id", 9}, {"file_name", "a.png"}, {"height", 20}, {"width", 40}},
        {{"id", 2}, {"file_name", "b.png"}, {"height", 30}, {"width", 30}}}},
      {"categories", {{{"id", 90}, {"name", "zebra"}}, {{"id", 3}, {"name", "cat"}}, {{"id", 7}, {"name", "emu"}}}}};
}

class Readers : public BoxesTest {
 protected:
  void put_coco(const json& content, const std::string& name = "annotations/instances_train2017.json") {
    picture("train2017/a.png", 20, 40);
    picture("train2017/b.png", 30, 30);
    file(name, content.dump(1));
  }
  std::string coco_error(const json& content) {
    put_coco(content);
    return error("annotations/instances_train2017.json");
  }
};

TEST_F(Readers, CocoWithGapsInItsIdsAndListsInAnyOrder) {
  put_coco(coco());
  const PrepareReport report = prepare("annotations/instances_train2017.json");
  EXPECT_EQ(report.label_names, (StringList{"cat", "emu", "zebra"}));  // by id
  EXPECT_EQ(report.label_counts, (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(report.warnings, (StringList{"2 of 3 classes have no boxes to learn from: 'cat', 'emu'"}));  // cats: a crowd
  EXPECT_EQ(report.notes.at("images have no box").num_rows, 1);
  EXPECT_EQ(report.notes.at("boxes are of crowds: not learned, and not scored").num_rows, 1);
  const Batch all = samples(report);
  EXPECT_EQ(all.offsets(kBoxAxis), (Offsets{0, 2, 2}));
  EXPECT_EQ(numbers<float>(all, kBoxes), (std::vector<float>{0, 2, 10, 8, 10.5, 0, 40, 20}));
  EXPECT_EQ(numbers<int32_t>(all, kBoxLabels), (std::vector<int32_t>{2, 0}));
  EXPECT_EQ(numbers<uint8_t>(all, kBoxFlags), (std::vector<uint8_t>{kMedium, kCrowd | kSmall}));  // by the told area
  EXPECT_EQ(numbers<int32_t>(all, "original_size"), (std::vector<int32_t>{20, 40, 30, 30}));
  EXPECT_EQ(numbers<float>(all, kView), (std::vector<float>{0.8f, 0.8f, 0, 0, 32.f / 30, 32.f / 30, 0, 0}));
  const auto pixels = numbers<uint8_t>(all, "pixels");
  ASSERT_EQ(pixels.size(), 2u * 32 * 32 * 3);
  EXPECT_EQ(pixels[15 * 32 * 3], 200);  // the last row of the picture
  EXPECT_EQ(std::vector(&pixels[16 * 32 * 3], &pixels[16 * 32 * 3 + 3]), (std::vector<uint8_t>{124, 116, 104}));
}

TEST_F(Readers, ShardsAreTheSameOnAnyNumberOfRanks) {
  put_coco(coco());
  const Batch one = samples(prepare("annotations/instances_train2017.json"));
  config_.prepared_dir = "";
  request_.output_directory = directory_ / "of_three";
  const Batch three = samples(prepare("annotations/instances_train2017.json", 3));
  EXPECT_EQ(one.columns, three.columns);
  EXPECT_EQ(one.axes, three.axes);
}

TEST_F(Readers, CocoBesideItsPicturesAsRoboflowWritesIt) {
  picture("train/a.png", 20, 40);
  picture("train/b.png", 30, 30);
  file("train/_annotations.coco.json", coco().dump());
  EXPECT_EQ(prepare("train").num_samples, 2);
}

TEST_F(Readers, BadCocoIsToldByFilePlaceAndCure) {
  json bad = coco();
  bad["annotations"][0]["category_id"] = 8;
  EXPECT_EQ(coco_error(bad),
            "79: annotations/instances_train2017.json:3: annotation 5: is of category 8, which "
            "'categories' does not list; list it, or take the annotation away");
  bad = coco();
  bad["annotations"][0]["image_id"] = 3;
  EXPECT_NE(coco_error(bad).find("annotation 5 is of image 3, which 'images' does not list"), std::string::npos);
  bad = coco();
  bad["images"][1]["id"] = 9;
  EXPECT_NE(coco_error(bad).find("two images have the id 9"), std::string::npos);
  bad = coco();
  bad["annotations"][1]["id"] = 5;
  EXPECT_NE(coco_error(bad).find("annotation 5: another annotation has this id"), std::string::npos);
  bad = coco();
  bad["images"][1]["file_name"] = "a.png";
  EXPECT_NE(coco_error(bad).find("two images have the file_name 'a.png'; list it once"), std::string::npos);
  bad = coco();
  bad["annotations"][0]["iscrowd"] = "1";
  EXPECT_NE(coco_error(bad).find("annotation 5: its 'iscrowd' is \"1\", and 0 or 1 belongs there"), std::string::npos);
  bad = coco();
  bad["annotations"] = json::array();
  EXPECT_NE(coco_error(bad).find("there is no box on any image, and none has a class to learn"), std::string::npos);
  bad = coco();
  bad["categories"][1]["name"] = "zebra";
  EXPECT_NE(coco_error(bad).find("are both called 'zebra'"), std::string::npos);
  bad = coco();
  bad["annotations"][0].erase("bbox");
  EXPECT_NE(coco_error(bad).find("annotation 5: has no 'bbox'"), std::string::npos);
  bad = coco();
  bad["annotations"][0]["bbox"] = {1, 2, 3};
  EXPECT_NE(coco_error(bad).find("four numbers belong there"), std::string::npos);
  bad = coco();
  bad["images"][0]["width"] = 41;
  EXPECT_NE(coco_error(bad).find("a.png: is 20 × 40, and its boxes are told of a picture of 20 × 41"),
            std::string::npos);
  bad = coco();
  bad.erase("categories");
  EXPECT_NE(coco_error(bad).find("has no list 'categories'"), std::string::npos);
  bad = coco();
  bad["images"][1]["file_name"] = "c.png";
  EXPECT_NE(coco_error(bad).find("instances_train2017.json: there is no train2017/c.png, which it names"),
            std::string::npos);
  config_.on_bad_row = "skip";
  EXPECT_EQ(prepare("annotations/instances_train2017.json").num_samples, 1);
  config_.on_bad_row = "error";
  bad = coco();
  bad["images"][0]["file_name"] = "c.png";
  bad["images"][1]["file_name"] = "d.png";
  EXPECT_NE(coco_error(bad).find("its images are not found: there is no 'c.png' in annotations,"), std::string::npos);
  std::string text = coco().dump();
  text.replace(text.find("10.5"), 4, "NaN");
  file("annotations/nan_train2017.json", text);
  EXPECT_NE(
      error("annotations/nan_train2017.json").find("annotation 6: its 'bbox' is [null,0,29.5,20], and four numbers"),
      std::string::npos);
  file("annotations/cut_train2017.json", coco().dump().substr(0, 200));
  EXPECT_NE(error("annotations/cut_train2017.json").find("ends too early"), std::string::npos);
}

TEST_F(Readers, IdsOfCocoThat64BitsDoNotHoldAreRefused) {
  std::string text = coco().dump();
  text.replace(text.find("\"image_id\":9"), 12, "\"image_id\":18446744073709551615");
  put_coco(coco());
  file("annotations/large_train2017.json", text);
  EXPECT_NE(error("annotations/large_train2017.json").find("no whole number 'image_id': 18446744073709551615"),
            std::string::npos);
}

TEST_F(Readers, BadBoxesAreToldClippedOrDropped) {
  json bad = coco();
  bad["annotations"][0]["bbox"] = {30, 2, 12, 6};    // two pixels beyond
  bad["annotations"][1]["bbox"] = {-0.5, 0, 10, 6};  // what rounding leaves
  bad["annotations"][1]["iscrowd"] = 0;
  bad["annotations"].push_back({{"id", 7}, {"image_id", 2}, {"category_id", 3}, {"bbox", {5, 5, 0, 6}}});
  EXPECT_NE(
      coco_error(bad).find("annotation 5: its corners [30, 2, 42, 8] reach beyond their images, 20 × 40; mend the "
                           "box, or set data.on_bad_box to \"clip\""),
      std::string::npos);
  config_.on_bad_box = "clip";
  PrepareReport report = prepare("annotations/instances_train2017.json");
  EXPECT_EQ(numbers<float>(samples(report), kBoxes), (std::vector<float>{30, 2, 40, 8, 0, 0, 9.5, 6}));
  EXPECT_EQ(report.notes.at("boxes reach beyond their images and are cut off at the border").num_rows, 1);
  EXPECT_EQ(report.notes.at("boxes have no area and are left out").num_rows, 1);
  config_.on_bad_box = "drop";
  report = prepare("annotations/instances_train2017.json");
  EXPECT_EQ(numbers<float>(samples(report), kBoxes), (std::vector<float>{0, 0, 9.5, 6}));
  EXPECT_EQ(report.notes.at("boxes reach beyond their images and are left out").num_rows, 1);
  config_.on_bad_box = "error";
  config_.on_bad_row = "skip";
  EXPECT_EQ(error("annotations/instances_train2017.json").substr(0, 3), "79:");  // both pictures have a bad one
}

TEST_F(Readers, VocXmlCountsFromOneAndKnowsDifficultObjects) {
  picture("JPEGImages/a.png", 20, 40);
  picture("JPEGImages/b.png", 30, 30);
  file("Annotations/a.xml", kXml);
  file("Annotations/b.xml", "<annotation/>");
  file("ImageSets/Main/train.txt", "a\nb -1\n");
  file("ImageSets/Main/val.txt", "b\n");
  for (const char* path : {"", "ImageSets/Main/train.txt"}) {
    const PrepareReport report = prepare(path);
    EXPECT_EQ(report.label_names, (StringList{"ant", "cat & dog"}));
    const Batch all = samples(report);
    EXPECT_EQ(all.offsets(kBoxAxis), (Offsets{0, 2, 2}));
    EXPECT_EQ(numbers<float>(all, kBoxes), (std::vector<float>{0, 2, 10, 8, 10, 0, 40, 20}));
    EXPECT_EQ(numbers<int32_t>(all, kBoxLabels), (std::vector<int32_t>{1, 0}));
    EXPECT_EQ(numbers<uint8_t>(all, kBoxFlags), (std::vector<uint8_t>{kDifficult | kSmall, kSmall}));
  }
  request_.split = "file";  // of evaluate --file, which counts as the test split
  EXPECT_NE(error("").find("ImageSets/Main/test.txt: there is no such list; name one of these in place of the "),
            std::string::npos);
  file("ImageSets/Main/test.txt", "a\n");
  EXPECT_EQ(prepare("").num_samples, 1);
}

TEST_F(Readers, XmlBesideOrInAFolderBesideItsPictures) {
  for (const char* of_xml : {"annotations/a.xml", "images/a.xml"}) {
    picture("images/a.png", 20, 40);
    file(of_xml, kXml);
    EXPECT_EQ(prepare(std::string(of_xml).starts_with("images") ? "images" : "").num_samples, 1) << of_xml;
  }
}

TEST_F(Readers, BadXmlIsToldByLine) {
  const auto told = [&](std::string text) {
    picture("images/a.png", 20, 40);
    file("annotations/a.xml", text);
    return error("");
  };
  const auto with = [](const std::string& was, const std::string& is) {
    std::string text = kXml;
    return text.replace(text.find(was), was.size(), is);
  };
  EXPECT_NE(told(std::string(kXml).substr(0, std::string(kXml).find("</object>")))
                .find("a.xml:7: <object> of line 5 does not end"),
            std::string::npos);
  EXPECT_NE(told(with("</name><difficult>", "<difficult>")).find("</object> ends what <name> of line 5 began"),
            std::string::npos);
  EXPECT_NE(told(with("8.0", "eight")).find("a.xml:7: <ymax> is 'eight', no number"), std::string::npos);
  EXPECT_NE(told(with("8.0", "nan")).find("are no finite numbers"), std::string::npos);
  for (const char* height : {"nan", "-20", "1e300", "20.5"})
    EXPECT_NE(told(with("<height>20", concat("<height>", height))).find("a.xml:4: <height> is "), std::string::npos);
  EXPECT_NE(told(with("<name>ant</name>", "")).find("a.xml:8: <object> has no <name>"), std::string::npos);
  EXPECT_NE(told(with("&amp;", "&unknown;")).find("&unknown; is no entity"), std::string::npos);
  EXPECT_NE(told(with("<annotation verified=\"yes\">", "<!DOCTYPE a [<!ENTITY a \"b\">]><annotation>")).find("DOCTYPE"),
            std::string::npos);
  EXPECT_NE(told(with("</annotation>", "</annotation><b/>")).find("behind the last element"), std::string::npos);
  EXPECT_NE(told("{}").find("a.xml:1: wanted an element"), std::string::npos);
  EXPECT_NE(told("<html></html>").find("its root is <html>, and <annotation> belongs there"), std::string::npos);
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_NE(told(deep).find("more than 64 deep"), std::string::npos);
  file("ImageSets/Main/train.txt", "gone\n");
  std::filesystem::create_directories(directory_ / "JPEGImages");
  EXPECT_NE(error("").find("ImageSets/Main/train.txt:1: names 'gone', and there is no "), std::string::npos);
}

TEST_F(Readers, YoloInSharesOfItsPictures) {
  picture("images/train/a.png", 20, 40);
  picture("images/train/b.png", 30, 30);
  file("labels/train/a.txt", "1 0.125 0.25 0.25 0.3\n0 0.25 0.0 1.0 0.0 1.0 1.0 0.25 1.0\n\n");
  file(
      "data.yaml",
      "# made by hand\ntrain: images/train  # pictures\nval: images/train\nnc: 2\nnames:\n  0: 'ant: red'\n  1: bee\n");
  for (const char* path : {"data.yaml", "images/train", "."}) {
    const PrepareReport report = prepare(path);
    EXPECT_EQ(report.label_names, (StringList{"ant: red", "bee"})) << path;
    const Batch all = samples(report);
    EXPECT_EQ(all.offsets(kBoxAxis), (Offsets{0, 2, 2}));  // b has no file, so it is a picture of nothing
    const auto boxes = numbers<float>(all, kBoxes);
    for (const auto& [i, wanted] : {std::pair{0, 0.f}, {1, 2.f}, {2, 10.f}, {3, 8.f}, {4, 10.f}, {6, 40.f}, {7, 20.f}})
      EXPECT_NEAR(boxes[static_cast<size_t>(i)], wanted, 1e-5) << i;
    EXPECT_EQ(numbers<int32_t>(all, kBoxLabels), (std::vector<int32_t>{1, 0}));
  }
  for (const char* names :
       {"names: [ant, bee]\n", "names: ['ant',\n  \"bee\"]\n", "names:\n- ant\n- bee\n", "names: {0: ant, 1: bee}\n"}) {
    file("data.yaml", std::string("train: ../images/train\n") + names);
    EXPECT_EQ(prepare("data.yaml").label_names, (StringList{"ant", "bee"})) << names;
  }
  file("data.yaml", "train: images/train\nnames: ['bee''s', \"ant's\"]\n");
  EXPECT_EQ(prepare("data.yaml").label_names, (StringList{"bee's", "ant's"}));
}

TEST_F(Readers, BadYoloIsToldByLine) {
  picture("images/a.png", 20, 40);
  const auto told = [&](const std::string& text) {
    file("labels/a.txt", text);
    return error("");
  };
  file("classes.txt", "ant\nbee\n");
  EXPECT_EQ(told("0 0.5 0.5 0.1 0.1\n2 0.5 0.5 0.1 0.1\n"),
            "79: labels/a.txt:2: is of class 2, and there are names of 2 classes, from 0 on");
  EXPECT_NE(told("0 0.5 0.5 0.1\n").find("labels/a.txt:1: has 4 numbers, and five belong there"), std::string::npos);
  EXPECT_NE(told("0 0.5 x 0.1 0.1\n").find("wanted numbers between spaces, found 'x'"), std::string::npos);
  EXPECT_NE(told("0 nan 0.5 0.1 0.1\n").find("found 'nan'"), std::string::npos);
  EXPECT_NE(told("0 20 10 4 4\n").find("labels/a.txt:1: its corners [720, 160, 880, 240] reach beyond"),
            std::string::npos);
  file("data.yaml", "names: [ant, ant]\ntrain: images\n");
  EXPECT_NE(error("data.yaml").find("data.yaml:1: names: class 1 is called 'ant'"), std::string::npos);
  file("data.yaml", "names: {0: ant, 2: bee}\ntrain: images\n");
  EXPECT_NE(error("data.yaml").find("wanted class 1 next, found '2'"), std::string::npos);
  file("data.yaml", "names: [ant\ntrain: images\n");
  EXPECT_NE(error("data.yaml").find("a bracket is not closed"), std::string::npos);
  file("data.yaml", "names: [ant]\ntrain: gone\n");
  EXPECT_NE(error("data.yaml").find("data.yaml: train: there is no "), std::string::npos);
}

TEST_F(Readers, YoloInListsOfFilesBySplit) {
  picture("images/a.png", 20, 40);
  file("labels/a.txt", "1 0.5 0.5 0.25 0.3\n");
  file("listed.txt", "images/a.png\nimages/gone.png\n");
  const std::string rest = "names: [ant, bee]\ndownload: |\n  import os\n\n  print('no key here')\nnc: 2\n";
  file("data.yaml", "train: listed.txt\n" + rest);
  EXPECT_NE(error("data.yaml").find("data.yaml: train: there is no images/gone.png, which it names"),
            std::string::npos);
  config_.on_bad_row = "skip";
  const PrepareReport report = prepare("data.yaml");
  EXPECT_EQ(report.num_samples, 1);
  EXPECT_EQ(report.label_names, (StringList{"ant", "bee"}));
  request_.split = "file";
  EXPECT_NE(error("data.yaml").find("data.yaml: has no test: with the pictures of that split; it has train: name a"),
            std::string::npos);
  file("data.yaml", "test: images\n" + rest);
  EXPECT_EQ(prepare("data.yaml").num_samples, 1);
}

TEST_F(Readers, YoloKeypointsAreNoOutlines) {
  picture("images/a.png", 20, 40);
  file("labels/a.txt", "0 0.5 0.5 0.25 0.5 0.1 0.9 0.2 0.8 0.3 0.7\n");
  file("data.yaml", "train: images\nnames: [ant]\n");
  PrepareReport report = prepare("data.yaml");
  EXPECT_EQ(report.notes.at("boxes are those around outlines").num_rows, 1);
  EXPECT_EQ(numbers<float>(samples(report), kBoxes)[3], 18);  // 0.9 of 20 pixels
  file("data.yaml", "train: images\nkpt_shape: [3, 2]\nnames: [ant]\n");
  for (const char* path : {"data.yaml", "images"}) {
    report = prepare(path);
    EXPECT_EQ(numbers<float>(samples(report), kBoxes), (std::vector<float>{15, 5, 25, 15})) << path;
    EXPECT_EQ(report.notes.size(), 1u);
    EXPECT_NE(report.notes.begin()->first.find("has kpt_shape; boxes are learned, and keypoints are passed over"),
              std::string::npos);
  }
  file("data.yaml", "train: images\nkpt_shape: [17, 3]\nnames: [ant]\n");
  EXPECT_NE(error("data.yaml").find("labels/a.txt:1: has 11 numbers, and by kpt_shape 56 belong there"),
            std::string::npos);
  file("data.yaml", "train: images\nkpt_shape: [17, many]\nnames: [ant]\n");
  EXPECT_NE(error("data.yaml").find("data.yaml:2: kpt_shape: wanted how many"), std::string::npos);
}

TEST_F(Readers, WhatLiesBesideYolosPicturesIsCounted) {
  picture("images/a.png", 20, 40);
  file("images/a.gif", "GIF89a");
  file("labels/a.txt", "0 0.5 0.5 0.25 0.5\n");
  file("data.yaml", "train: images\nnames: [ant]\n");
  const PrepareReport report = prepare("data.yaml");
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_NE(report.notes.begin()->first.find("images: 1 files that are not "), std::string::npos);
}

TEST_F(Readers, MarksOfWindowsAreNoPartOfNames) {
  const std::string mark = "\xEF\xBB\xBF";
  picture("JPEGImages/a.png", 20, 40);
  file("Annotations/a.xml", mark + kXml);
  file("ImageSets/Main/train.txt", mark + "a\r\n");
  EXPECT_EQ(prepare("").num_samples, 1);
  picture("images/a.png", 20, 40);
  file("labels/a.txt", mark + "0 0.5 0.5 0.25 0.3\r\n");
  file("classes.txt", mark + "ant\r\nbee\t\r\n");
  EXPECT_EQ(prepare("images").label_names, (StringList{"ant", "bee"}));
  file("listed.txt", mark + "images/a.png\r\n");
  file("data.yaml", mark + "train: listed.txt\r\nnames: [ant, bee]\r\n");
  EXPECT_EQ(prepare("data.yaml").label_names, (StringList{"ant", "bee"}));
  std::filesystem::remove(directory_ / "data.yaml");
  file("classes.txt", "\xff\xfe" + std::string("a\0\n\0", 4));
  EXPECT_NE(error("images").find("classes.txt: not valid UTF-8; it begins as UTF-16 does"), std::string::npos);
  file("classes.txt", "ant\nb\xe9\n");
  EXPECT_NE(error("images").find("classes.txt:2: not valid UTF-8"), std::string::npos);
}

TEST_F(Readers, YoloByAPathFromHere) {
  picture("images/a.png", 20, 40);
  file("labels/a.txt", "1 0.5 0.5 0.25 0.3\n");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory_);
  const auto source = open_boxed_images("images", true, "train");
  EXPECT_EQ(source->boxes(0).boxes.size(), 1u);
  std::filesystem::current_path(before);
}

TEST_F(Readers, NumbersAreTheModelsClassesWhereThereAreAsMany) {
  picture("images/a.png", 20, 40);
  file("labels/a.txt", "1 0.5 0.5 0.25 0.3\n0 0.5 0.5 0.25 0.3\n");
  for (const auto& [of_model, wanted] : {std::pair{StringList{"ant", "bee"}, StringList{"ant", "bee"}},
                                         {StringList{"ant", "bee", "cat"}, StringList{"0", "1"}},
                                         {StringList{"0", "1", "2"}, StringList{"0", "1", "2"}},
                                         {StringList{"N/A", "N/A"}, StringList{"0", "1"}}}) {
    request_.label_names = of_model;
    EXPECT_EQ(prepare("images").label_names, wanted) << of_model.back();
  }
}

// HDF5 of others, as h5py writes it.
struct Others {
  std::vector<double> boxes = {0, 2, 10, 8, 10.5, 0, 40, 20};
  std::vector<int64_t> labels = {1, 0}, offsets = {0, 0, 2};

  void write(const std::string& path) const {
    const hdf5::File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    const auto put = [&](const char* name, std::vector<hsize_t> shape, hid_t type, const void* data) {
      const hdf5::Space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
      const hdf5::DatasetId set(H5Dcreate2(file.get(), name, type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
      H5Dwrite(set.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    };
    const std::vector<uint8_t> pixels(2 * 20 * 40 * 3, 9);
    put("pixels", {2, 20, 40, 3}, H5T_NATIVE_UINT8, pixels.data());
    put("boxes", {boxes.size() / 4, 4}, H5T_NATIVE_DOUBLE, boxes.data());
    put("box_labels", {labels.size()}, H5T_NATIVE_INT64, labels.data());
    put("box_offsets", {offsets.size()}, H5T_NATIVE_INT64, offsets.data());
  }
};

TEST_F(Readers, Hdf5OfOthers) {
  Others others;
  others.write((directory_ / "a.h5").string());
  config_.class_names = {"ant", "bee"};
  const Batch all = samples(prepare("a.h5"));
  EXPECT_EQ(all.offsets(kBoxAxis), (Offsets{0, 0, 2}));
  EXPECT_EQ(numbers<float>(all, kBoxes), (std::vector<float>{0, 2, 10, 8, 10.5, 0, 40, 20}));
  EXPECT_EQ(numbers<int32_t>(all, kBoxLabels), (std::vector<int32_t>{1, 0}));
  others.offsets = {0, 3, 2};
  others.write((directory_ / "b.h5").string());
  EXPECT_NE(error("b.h5").find("box_offsets"), std::string::npos);
  others = Others{.labels = {7, 0}};
  others.write((directory_ / "c.h5").string());
  EXPECT_NE(error("c.h5").find("box 0: its class '7' is none of the 2 known labels"), std::string::npos);
}

TEST_F(Readers, ValidationKnowsTheClassesOfTraining) {
  put_coco(coco());
  request_.labels_must_be_known = true;
  request_.label_names = {"zebra", "cat"};
  EXPECT_EQ(numbers<int32_t>(samples(prepare("annotations/instances_train2017.json")), kBoxLabels),
            (std::vector<int32_t>{0, 1}));
  request_.label_names = {"N/A", "cat", "N/A", "zebra"};  // as COCO's models have it
  EXPECT_EQ(numbers<int32_t>(samples(prepare("annotations/instances_train2017.json")), kBoxLabels),
            (std::vector<int32_t>{3, 1}));
  request_.label_names = {"zebra", "dog"};
  EXPECT_NE(error("annotations/instances_train2017.json").find("annotation 6: its class 'cat' is none of the 2 known"),
            std::string::npos);
}

TEST_F(Readers, TheConfigNamesClassesBeforeTheModelDoes) {
  put_coco(coco());
  request_.label_names = {"zebra", "cat"};
  config_.class_names = {"cat", "emu", "zebra"};
  EXPECT_EQ(prepare("annotations/instances_train2017.json").label_names, config_.class_names);
  config_.class_names = {"cat", "cat"};
  EXPECT_NE(error("annotations/instances_train2017.json").find("two classes are called 'cat'"), std::string::npos);
  config_.class_names = {std::string("cat\0", 4)};
  EXPECT_NE(error("annotations/instances_train2017.json").find("holds a NUL character"), std::string::npos);
}

TEST_F(Readers, PicturesAloneAreEnoughToPredict) {
  put_coco(coco());
  request_.labels_required = false;
  request_.keep_notes = true;
  request_.split = "input";
  json unlabelled = coco();
  unlabelled.erase("annotations");
  unlabelled.erase("categories");
  file("annotations/image_info_train2017.json", unlabelled.dump());
  file("data.yaml", "test: train2017\nnames: [ant]\n");
  for (const auto& [path, count] : {std::pair{"train2017", 2},
                                    {"train2017/a.png", 1},
                                    {"annotations/instances_train2017.json", 2},
                                    {"annotations/image_info_train2017.json", 2},
                                    {"data.yaml", 2}}) {
    const PrepareReport report = prepare(path);
    EXPECT_EQ(report.num_samples, count) << path;
    const Batch all = samples(report);
    EXPECT_EQ(all.schema.find(kBoxes), nullptr);
    EXPECT_NE(all.schema.find("place"), nullptr);
  }
}

TEST_F(Readers, OtherPathsAreToldWhatIsWanted) {
  file("a.json", "{\"images\": [");
  EXPECT_NE(error("a.json").find("ends too early"), std::string::npos);
  picture("empty/a.png", 4, 4);
  EXPECT_NE(error("empty").find("empty: no boxes found; wanted COCO's .json"), std::string::npos);
  file("a.csv", "a,b\n");
  EXPECT_NE(error("a.csv").find("a.csv: wanted COCO's .json"), std::string::npos);
  config_.image_size = 0;
  EXPECT_NE(error("a.json").find("78: data.image_size: wanted the side"), std::string::npos);
}

}  // namespace
}  // namespace sft
