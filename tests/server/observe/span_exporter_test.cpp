// What a collector is sent, and that nobody waits for it.
#include "server/observe/span_exporter.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.h"

namespace pytoon::observe {
namespace {

using Json = nlohmann::json;

class Collector final : public HttpClient {
 public:
  Result<HttpAnswer> send(const HttpRequest& request, const CancelToken&) override {
    requests.push_back(request);
    if (status == 0) return failure(FailureKind::kUnavailable, "not reached");
    HttpAnswer answer;
    answer.status = status;
    return answer;
  }
  int status = 200;
  std::vector<HttpRequest> requests;
};

class SpanExporterTest : public testing::Test {
 protected:
  static jobs::Span span(const std::string& name) {
    const WallTime began{std::chrono::microseconds(1'544'712'660'000'001)};
    return {jobs::trace_of("c0ffee00-0000-4000-8000-000000000001", ""),
            "",
            name,
            began,
            began + std::chrono::milliseconds(3),
            "c0ffee00-0000-4000-8000-000000000001",
            {},
            ""};
  }
  Json body(std::size_t index = 0) const {
    return Json::parse(std::get<std::string>(collector_.requests.at(index).body));
  }
  static Json spans(const Json& body) { return body["resourceSpans"][0]["scopeSpans"][0]["spans"]; }

  Collector collector_;
  RandomIds ids_;
  SystemClock clock_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  SpanExporter exporter_{
      collector_, ids_, log_, {"http://c:4318/x", {{"k", "v"}}, "1.2.3", "instance"}};
};

TEST_F(SpanExporterTest, IsTheMappingOfTheProtobufMessages) {
  jobs::Span failed = span("render");
  failed.parent_id = failed.trace.span_id;
  failed.trace.span_id.clear();
  failed.segment = 3;
  failed.error = "no";
  exporter_.ended(failed);
  EXPECT_FALSE(exporter_.step());
  const HttpRequest& request = collector_.requests.at(0);
  EXPECT_EQ(request.url, "http://c:4318/x/v1/traces");
  EXPECT_EQ(request.headers.at(0), std::make_pair(std::string("k"), std::string("v")));
  const Json sent = spans(body())[0];
  EXPECT_EQ(sent["traceId"], "c0ffee00000040008000000000000001");
  EXPECT_EQ(sent["parentSpanId"], failed.parent_id);
  EXPECT_EQ(sent["spanId"].get<std::string>().size(), 16U);
  EXPECT_EQ(sent["startTimeUnixNano"], "1544712660000001000");
  EXPECT_EQ(sent["endTimeUnixNano"], "1544712660003001000");
  EXPECT_EQ(sent["kind"], 1);
  EXPECT_EQ(sent["status"], (Json{{"code", 2}, {"message", "no"}}));
  EXPECT_EQ(sent["attributes"][1]["value"]["intValue"], "3");
}

TEST_F(SpanExporterTest, ACallerWhoDoesNotRecordIsNotRecorded) {
  jobs::Span quiet = span("job");
  quiet.trace.sampled = false;
  exporter_.ended(quiet);
  EXPECT_EQ(exporter_.waiting(), 0U);
}

TEST_F(SpanExporterTest, WhatIsNotTakenNowIsSentAgainUnderTheSameId) {
  exporter_.ended(span("job"));
  for (const int status : {0, 503, 429}) {
    collector_.status = status;
    EXPECT_FALSE(exporter_.step());
    EXPECT_EQ(exporter_.waiting(), 1U);
  }
  collector_.status = 200;
  exporter_.step();
  EXPECT_EQ(exporter_.waiting(), 0U);
  EXPECT_EQ(spans(body(0))[0]["spanId"], spans(body(3))[0]["spanId"]);
  EXPECT_NE(lines_.str().find("spans_wait"), std::string::npos);
  EXPECT_NE(lines_.str().find("spans_sent_again"), std::string::npos);
}

TEST_F(SpanExporterTest, WhatIsRefusedForGoodIsForgotten) {
  collector_.status = 400;
  exporter_.ended(span("job"));
  exporter_.step();
  EXPECT_EQ(exporter_.waiting(), 0U);
  EXPECT_EQ(exporter_.forgotten(), 1U);
}

TEST_F(SpanExporterTest, TheQueueHasAnEnd) {
  collector_.status = 0;
  for (std::size_t i = 0; i < kSpansWaitingMax + 7; ++i) exporter_.ended(span("render"));
  exporter_.step();
  EXPECT_EQ(exporter_.waiting(), kSpansWaitingMax);
  EXPECT_EQ(exporter_.forgotten(), 7U);
  exporter_.stop();
  collector_.status = 200;
  EXPECT_FALSE(exporter_.step()) << "it was stopped";
  exporter_.flush();
  EXPECT_EQ(exporter_.waiting(), 0U);
  EXPECT_EQ(spans(body(1)).size(), kSpansWaitingMax);
}

}  // namespace
}  // namespace pytoon::observe
