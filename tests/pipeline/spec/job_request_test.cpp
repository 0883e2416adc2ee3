#include "pipeline/spec/job_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pytoon::spec {
namespace {

using nlohmann::json;

// The pointers of all faults of a body; empty when it is accepted.
std::vector<std::string> pointers(const json& body) {
  const Result<JobRequest> request = parse_job_request(body);
  std::vector<std::string> found;
  if (request) return found;
  EXPECT_EQ(request.failure().kind, FailureKind::kInvalid);
  for (const FieldFault& fault : request.failure().faults) {
    EXPECT_FALSE(fault.detail.empty());
    found.push_back(fault.pointer);
  }
  return found;
}

TEST(JobRequest, TheWholeContractIsRead) {
  const Result<JobRequest> request = parse_job_request(json::parse(R"({
      "preset_id": "overlay_glow", "prompt": "Serum", "target_duration_seconds": 60,
      "brand_safe": false, "engine_policy": "local_only", "archetype": "OVERLAY",
      "image_uris": ["storage://assets/a"], "clip_uris": ["storage://assets/c"],
      "mask_uri": "storage://assets/m",
      "captions": {"hook": "h", "beats": ["b1", "b2"], "cta": "c"},
      "platform": "reels", "quality": "draft", "seed": 4294967295, "priority": 9})"));
  ASSERT_TRUE(request) << request.failure().detail;
  EXPECT_EQ(request->target_duration_seconds, 60);
  EXPECT_EQ(request->engine_policy, EnginePolicy::kLocalOnly);
  EXPECT_EQ(request->archetype, Archetype::kOverlay);
  EXPECT_EQ(request->clip_uris, std::vector<std::string>{"storage://assets/c"});
  EXPECT_EQ(request->captions->beats.size(), 2U);
  EXPECT_EQ(request->quality, Quality::kDraft);
  EXPECT_EQ(request->seed, 4294967295U);
}

TEST(JobRequest, OnlyThePresetIsRequired) {
  EXPECT_TRUE(parse_job_request(json{{"preset_id", "p"}}));
  EXPECT_THAT(pointers(json::object()), testing::ElementsAre("/preset_id"));
}

TEST(JobRequest, EachBadFieldIsNamed) {
  const std::vector<std::pair<const char*, json>> bad{
      {"target_duration_seconds", 0},
      {"target_duration_seconds", 61},
      {"target_duration_seconds", "x"},
      {"target_duration_seconds", 1.5},
      {"colour", nullptr},
      {"target_duration_seconds", 18446744073709551615ULL},
      {"brand_safe", "yes"},
      {"engine_policy", "cloud"},
      {"archetype", "HERO"},
      {"seed", -1},
      {"priority", 10},
      {"quality", "good"},
      {"image_uris", "storage://a"},
      {"captions", "text"},
      {"clip_uris", "storage://a"},
      {"music_uri", ""},
      {"voice_uri", json::array({"storage://a"})},
      {"webhook_url", "ftp://example.com/x"},
      {"webhook_url", "https://user:word@example.com/x"},
      {"webhook_url", "https://example.com/a b"},
      {"webhook_url", ""},
      {"webhook_url", "https://example.com/" + std::string(2048, 'x')},
      {"colour", "red"}};
  for (const auto& [name, value] : bad) {
    EXPECT_THAT(pointers(json{{"preset_id", "p"}, {name, value}}),
                testing::ElementsAre(std::string("/") + name))
        << value;
  }
}

// Typed clients send every optional field.
TEST(JobRequest, NullIsAFieldLeftOut) {
  const json body{{"preset_id", "p"},
                  {"prompt", nullptr},
                  {"platform", nullptr},
                  {"target_duration_seconds", nullptr},
                  {"brand_safe", nullptr},
                  {"engine_policy", nullptr},
                  {"archetype", nullptr},
                  {"seed", nullptr},
                  {"footage_only", nullptr},
                  {"priority", nullptr},
                  {"reuse", nullptr},
                  {"image_uris", nullptr},
                  {"clip_uris", nullptr},
                  {"mask_uri", nullptr},
                  {"music_uri", nullptr},
                  {"voice_uri", nullptr},
                  {"captions", {{"hook", nullptr}, {"cta", "c"}}},
                  {"webhook_url", nullptr}};
  const auto request = parse_job_request(body);
  ASSERT_TRUE(request) << request.failure().detail;
  EXPECT_EQ(request->captions->cta, "c");
  EXPECT_THAT(pointers(json{{"preset_id", nullptr}}), testing::ElementsAre("/preset_id"));
}

TEST(JobRequest, AnUnknownFieldNamesItsNeighbour) {
  const auto request = parse_job_request(json{{"preset_id", "p"}, {"caption", {{"hook", "h"}}}});
  ASSERT_FALSE(request);
  EXPECT_EQ(request.failure().faults[0].detail, "is not a field we know; did you mean 'captions'?");
}

TEST(JobRequest, ANumberWithoutAFractionIsWhole) {
  const auto request = parse_job_request(
      json::parse(R"({"preset_id":"p","target_duration_seconds":15.0,"seed":4294967295.0})"));
  ASSERT_TRUE(request) << request.failure().detail;
  EXPECT_EQ(request->target_duration_seconds, 15);
  EXPECT_EQ(request->seed, 4294967295U);
  EXPECT_THAT(pointers(json{{"preset_id", "p"}, {"seed", 1e300}}), testing::ElementsAre("/seed"));
}

TEST(JobRequest, AWebhookIsAWebAddress) {
  for (const char* url : {"https://example.com/hook?x=1", "http://127.0.0.1:8000/"}) {
    const auto request = parse_job_request(json{{"preset_id", "p"}, {"webhook_url", url}});
    ASSERT_TRUE(request) << url;
    EXPECT_EQ(request->webhook_url, url);
  }
}

TEST(JobRequest, AllFaultsComeAtOnceWithDeepPointers) {
  const json body{
      {"preset_id", ""},
      {"seed", "x"},
      {"image_uris", json::array({"a", 3})},
      {"captions", {{"hook", 1}, {"beats", json::array({"ok", json::object()})}, {"colour~/", 1}}}};
  EXPECT_THAT(pointers(body), testing::UnorderedElementsAre("/preset_id", "/seed", "/image_uris/1",
                                                            "/captions/hook", "/captions/beats/1",
                                                            "/captions/colour~0~1"));
}

TEST(JobRequest, ABodyThatIsNoObjectIsRefused) {
  EXPECT_FALSE(parse_job_request(json::array()));
  EXPECT_FALSE(parse_job_request(json("text")));
}

TEST(StorageUri, OnlyOurScheme) {
  EXPECT_TRUE(is_storage_uri("storage://assets/a"));
  EXPECT_EQ(storage_key("storage://assets/a"), "assets/a");
  EXPECT_FALSE(is_storage_uri("storage://"));
  EXPECT_FALSE(is_storage_uri("file:///etc/passwd"));
  EXPECT_FALSE(is_storage_uri("https://example.com/a.png"));
}

}  // namespace
}  // namespace pytoon::spec
