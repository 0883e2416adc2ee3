#include "server/http/multipart.h"

#include <gtest/gtest.h>

#include <random>

namespace pytoon::http {
namespace {

struct Part {
  PartHead head;
  std::string data;
  bool ended = false;
};

class Collector final : public MultipartSink {
 public:
  Status begin_part(const PartHead& head) override {
    parts.push_back({head, "", false});
    return ok_status();
  }
  Status part_data(std::string_view bytes) override {
    parts.back().data += bytes;
    return ok_status();
  }
  Status end_part() override {
    parts.back().ended = true;
    return ok_status();
  }
  std::vector<Part> parts;
};

// Data full of near-delimiters.
const std::string kData = "\r\n--bound\r\n-\r\n--boun\r\r\n--\r\n--bXundary\r\n";

std::string sample() {
  return "--boundary\r\nContent-Disposition: form-data; name=\"category\"\r\n\r\nimage\r\n"
         "--boundary\r\ncontent-disposition: FORM-DATA; filename=\"a;\\\"b\\\".png\"; name=file\r\n"
         "Content-Type: image/png\r\n\r\n" +
         kData +
         "\r\n--boundary\r\nContent-Disposition: form-data; "
         "name=\"empty\"\r\n\r\n\r\n--boundary--\r\nepilogue";
}

void check_sample(const Collector& sink, const MultipartReader& reader) {
  ASSERT_EQ(sink.parts.size(), 3U);
  EXPECT_EQ(sink.parts[0].head.name, "category");
  EXPECT_FALSE(sink.parts[0].head.filename);
  EXPECT_EQ(sink.parts[0].data, "image");
  EXPECT_EQ(sink.parts[1].head.name, "file");
  EXPECT_EQ(sink.parts[1].head.filename, "a;\"b\".png");
  EXPECT_EQ(sink.parts[1].head.content_type, "image/png");
  EXPECT_EQ(sink.parts[1].data, kData);
  EXPECT_EQ(sink.parts[2].data, "");
  EXPECT_TRUE(sink.parts[2].ended);
  EXPECT_TRUE(reader.complete());
}

TEST(Multipart, WhatStandsBeforeTheFirstBoundaryIsIgnored) {
  for (const std::string preamble :
       {"\r\n", "This is a multi-part message.\r\n", "--bound\r\n--boundar\r\n", "x\r\n\r\n"}) {
    const std::string bytes = preamble + sample();
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
      Collector sink;
      MultipartReader reader("boundary");
      for (std::size_t at = 0; at < bytes.size(); at += step) {
        ASSERT_TRUE(reader.feed(std::string_view(bytes).substr(at, step), sink)) << preamble;
      }
      check_sample(sink, reader);
    }
  }
  Collector sink;
  MultipartReader endless("boundary");
  EXPECT_FALSE(endless.feed(std::string(kPreambleBytesMax + 100, 'x'), sink));
  MultipartReader inside("boundary");
  EXPECT_TRUE(inside.feed("text --boundary\r\n", sink));
  EXPECT_TRUE(sink.parts.empty()) << "a boundary begins a line";
}

TEST(Multipart, AnExtendedFileNameCountsWhereThereIsNoOther) {
  const auto name = [](const std::string& parameters) {
    const auto head =
        parse_part_head("Content-Disposition: form-data; name=file; " + parameters + "\r\n");
    return head && head->filename ? *head->filename : "none";
  };
  EXPECT_EQ(name("filename*=UTF-8''na%C3%AFve%20file.png"), "naïve file.png");
  EXPECT_EQ(name("filename*=utf-8'en'a.png"), "a.png");
  EXPECT_EQ(name("filename=\"plain.png\"; filename*=UTF-8''other.png"), "plain.png");
  EXPECT_EQ(name("filename*=\"a%2.png\""), "a%2.png");
}

TEST(Multipart, ReadsAFormCutAtEveryByte) {
  const std::string bytes = sample();
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    MultipartReader reader("boundary");
    Collector sink;
    ASSERT_TRUE(reader.feed(std::string_view(bytes).substr(0, cut), sink).ok()) << cut;
    ASSERT_TRUE(reader.feed(std::string_view(bytes).substr(cut), sink).ok()) << cut;
    check_sample(sink, reader);
  }
}

TEST(Multipart, ReadsAFormByteByByte) {
  MultipartReader reader("boundary");
  Collector sink;
  for (const char byte : sample()) ASSERT_TRUE(reader.feed({&byte, 1}, sink).ok());
  check_sample(sink, reader);
}

TEST(Multipart, IsNotCompleteBeforeTheClosingDelimiter) {
  const std::string bytes = sample();
  const std::size_t closing = bytes.find("--boundary--");
  MultipartReader reader("boundary");
  Collector sink;
  ASSERT_TRUE(reader.feed(std::string_view(bytes).substr(0, closing + 11), sink).ok());
  EXPECT_FALSE(reader.complete());
}

TEST(Multipart, RefusesBrokenForms) {
  const std::string disposition = "Content-Disposition: form-data; name=\"a\"\r\n";
  std::string many;
  for (int i = 0; i < 40; ++i) many += "--boundary\r\n" + disposition + "\r\nx\r\n";
  for (const std::string& bytes : {
           "--boundary \r\n" + disposition,
           "--boundary\n" + disposition + "\n",
           std::string("--boundary\r\n\r\n\r\n\r\n"),
           std::string("--boundary\r\nContent-Disposition: form-data\r\n\r\n"),
           std::string("--boundary\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n"),
           std::string("--boundary\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n"),
           std::string(
               "--boundary\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\n"),
           std::string("--boundary\r\nContent-Disposition: form-data; name=\"a\r\n\r\n"),
           "--boundary\r\n" + disposition + disposition + "\r\n",
           "--boundary\r\n" + disposition + " folded\r\n\r\n",
           std::string("--boundary\r\nContent-Type: text/plain\r\n\r\n"),
           "--boundary\r\n" + disposition + "X: " + std::string(9000, 'x'),
           many,
       }) {
    MultipartReader reader("boundary");
    Collector sink;
    EXPECT_FALSE(reader.feed(bytes, sink).ok()) << bytes.substr(0, 200);
  }
}

TEST(Multipart, KeepsFileNamesAsText) {
  const auto head = parse_part_head(
      "Content-Disposition: form-data; name=\"file\"; "
      "filename=\"C:\\dir\\..\\..\\etc/passwd\"\r\n");
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->filename, "C:\\dir\\..\\..\\etc/passwd");
}

TEST(Multipart, ReadsTheBoundary) {
  EXPECT_EQ(*multipart_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(*multipart_boundary("Multipart/Form-Data;charset=x; Boundary=\"a b:c\""), "a b:c");
  for (const std::string& bad :
       {std::string("multipart/form-data"), std::string("multipart/form-data; boundary="),
        std::string("multipart/form-data; boundary=\"a"),
        "multipart/form-data; boundary=" + std::string(71, 'a'),
        std::string("multipart/form-data; boundary=\"a \""),
        std::string("multipart/form-data; boundary=a; boundary=b"),
        std::string("multipart/form-data; boundary=\"a\xff\"")}) {
    const auto boundary = multipart_boundary(bad);
    ASSERT_FALSE(boundary.ok()) << bad;
    EXPECT_EQ(boundary.failure().kind, FailureKind::kMalformed) << bad;
  }
  EXPECT_EQ(multipart_boundary("application/json").failure().kind, FailureKind::kUnsupportedType);
}

TEST(Multipart, SurvivesMutations) {
  std::mt19937 random(7);
  int complete = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = sample();
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      const std::size_t at = random() % bytes.size();
      if (random() % 2 == 0)
        bytes.erase(at, 1 + random() % 6);
      else
        bytes[at] = static_cast<char>(random());
    }
    MultipartReader reader("boundary");
    Collector sink;
    std::size_t at = 0;
    bool ok = true;
    while (ok && at < bytes.size()) {
      const std::size_t piece = 1 + random() % 40;
      ok = reader.feed(std::string_view(bytes).substr(at, piece), sink).ok();
      at += piece;
    }
    complete += ok && reader.complete();
    std::size_t data_bytes = 0;
    for (const Part& part : sink.parts) data_bytes += part.data.size();
    EXPECT_LE(data_bytes, bytes.size());
  }
  EXPECT_GT(complete, 100);
}

}  // namespace
}  // namespace pytoon::http
