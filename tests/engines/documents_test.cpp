// The documents that engines work by: slots, workflows, outcomes, mappings, the table.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/yaml.h"
#include "engines/comfyui/outcome.h"
#include "engines/comfyui/workflow.h"
#include "engines/engine_table.h"
#include "engines/remote/provider.h"
#include "tests/support/source_dir.h"

namespace pytoon::engines {
namespace {

namespace fs = std::filesystem;

const fs::path kConfig = support::source_dir() / "config";

TEST(Placeholders, KeepTypesAndLeaveNothingBehind) {
  const Json document =
      Json::parse(R"({"a":"{{seed}}","b":"x {{prompt}} {{seed}}","c":["{{image}}",1],
                                       "d":"{{image}}","e":{"f":true}})");
  const Json made =
      filled(document, {{"seed", 7}, {"prompt", "{{seed}} \"q\""}, {"image", nullptr}});
  EXPECT_EQ(made.dump(), R"({"a":7,"b":"x {{seed}} \"q\" 7","c":[1],"e":{"f":true}})");
  EXPECT_EQ(slots_of(document), (std::set<std::string>{"image", "prompt", "seed"}));
  EXPECT_EQ(filled("{{open", Json::object()), "{{open");
}

TEST(Workflows, OfTheConfigurationAreReadable) {
  for (const auto& entry : fs::directory_iterator(kConfig / "workflows")) {
    const Result<Workflow> workflow = read_workflow(entry.path());
    ASSERT_TRUE(workflow) << workflow.failure().detail;
    EXPECT_GT(workflow->frames_for(3), 3 * workflow->fps - 1) << workflow->name;
    EXPECT_EQ((workflow->frames_for(3) - workflow->frames_plus) % workflow->frames_step, 0);
  }
}

TEST(Workflows, KnowTheirModelsLengths) {
  Workflow workflow;
  workflow.fps = 24;
  workflow.frames_step = 4;
  workflow.frames_plus = 1;
  workflow.frames_max = 121;
  EXPECT_EQ(workflow.frames_for(1), 25);
  EXPECT_EQ(workflow.frames_for(3), 73);
  EXPECT_EQ(workflow.frames_for(60), 121);
}

TEST(Workflows, FaultsAreAllNamed) {
  const fs::path file = fs::temp_directory_path() / "pytoon-workflow-test.json";
  ASSERT_TRUE(write_file_atomically(
      file, R"({"description":"x","archetypes":["NO"],"needs_image":true,"redraws":true,"width":8,
                "height":64,"fps":24,"frames":{"step":1,"plus":0,"max":9},"vram_bytes":0,
                "graph":{"1":{"class_type":"A","inputs":{"a":"{{nonsense}}"}},"2":{}}})"));
  const Result<Workflow> workflow = read_workflow(file);
  fs::remove(file);
  ASSERT_FALSE(workflow);
  EXPECT_EQ(workflow.failure().faults.size(), 6U);
}

// Refused at the start, not after the generation.
TEST(Workflows, WhatSavesNoMp4IsRefused) {
  const fs::path file = fs::temp_directory_path() / "pytoon-workflow-kinds-test.json";
  const auto complaint = [&file](const std::string& node) {
    EXPECT_TRUE(write_file_atomically(
        file, R"({"description":"x","archetypes":["OVERLAY"],"needs_image":false,"redraws":true,
                "width":64,"height":64,"fps":24,"frames":{"step":1,"plus":0,"max":9},
                "vram_bytes":0,"graph":{"1":)" +
                  node + "}}"));
    const Result<Workflow> workflow = read_workflow(file);
    fs::remove(file);
    return workflow ? "" : workflow.failure().detail;
  };
  const auto node = [](const std::string& type, const std::string& more) {
    return R"({"class_type":")" + type + R"(","inputs":{"filename_prefix":"{{filename_prefix}}")" +
           more + "}}";
  };
  for (const char* type : {"SaveImage", "PreviewImage"}) {
    EXPECT_NE(complaint(node(type, "")).find("a clip is taken"), std::string::npos) << type;
  }
  for (const char* type : {"SaveWEBM", "SaveAnimatedWEBP", "SaveAnimatedPNG"}) {
    EXPECT_EQ(complaint(node(type, "")), "") << type;
  }
  for (const char* format : {"video/8bit-png", "video/ffv1-mkv"}) {
    EXPECT_NE(complaint(node("VHS_VideoCombine", R"(,"format":")" + std::string(format) + '"')),
              "");
  }
  for (const char* format : {"video/webm", "image/gif", "image/webp", "video/av1-webm"}) {
    EXPECT_EQ(complaint(node("VHS_VideoCombine", R"(,"format":")" + std::string(format) + '"')),
              "");
  }
  EXPECT_EQ(complaint(node("VHS_VideoCombine", R"(,"format":"video/h264-mp4")")), "");
  EXPECT_EQ(complaint(node("SaveVideo", R"(,"format":"mp4","codec":"h264")")), "");
  EXPECT_EQ(complaint(node("SomebodysOwnNode", "")), "");
}

TEST(Workflows, AnOutputThatSavesNothingIsNamed) {
  Workflow workflow;
  workflow.graph =
      Json::parse(R"({"1":{"class_type":"Name","inputs":{"text":"{{filename_prefix}}"}}})");
  EXPECT_EQ(missing_for(workflow, Json::parse(R"({"Name":{"output_node":false}})")).size(), 1U);
  EXPECT_EQ(missing_for(workflow, Json::parse(R"({"Name":{"output_node":true}})")).size(), 0U);
  EXPECT_EQ(missing_for(workflow, Json::parse(R"({"Name":{}})")).size(), 0U);
}

TEST(Workflows, MissingNodesAndModelsAreNamed) {
  Workflow workflow;
  workflow.graph = Json::parse(
      R"({"1":{"class_type":"Loader","inputs":{"name":"a.safetensors","kind":"b","n":3}},
          "2":{"class_type":"Gone","inputs":{}},"3":{"class_type":"Gone","inputs":{}},
          "4":{"class_type":"New","inputs":{"mode":"x","image":"{{image}}"}}})");
  const Json info = Json::parse(
      R"({"Loader":{"input":{"required":{"name":[["other.safetensors"],{}],"kind":[["b"]]}}},
          "New":{"input":{"optional":{"mode":["COMBO",{"options":["y"]}],"image":[["z"]]}}}})");
  EXPECT_EQ(missing_for(workflow, info),
            (std::vector<std::string>{
                "\"a.safetensors\" is no choice of Loader.name: install the file or change the "
                "workflow",
                "it has no node Gone",
                "\"x\" is no choice of New.mode: install the file or change the workflow"}));
  EXPECT_EQ(missing_for(workflow, nullptr).size(), 3U);
}

// SaveVideo of old, with a codec's own choices, and with the codec beneath the format.
const char* const kSaveVideoForms[] = {
    R"({"input":{"required":{"format":["COMBO",{"options":["auto","mp4"]}],
        "codec":["COMBO",{"options":["auto","h264"]}]}}})",
    R"({"input":{"required":{"format":["COMBO",{"options":["auto","mp4"]}],
        "codec":["COMFY_DYNAMICCOMBO_V3",{"options":[{"key":"auto","inputs":{"required":{}}},
          {"key":"h264","inputs":{"optional":{"crf":["FLOAT",{}]}}}]}]}}})",
    R"({"input":{"required":{"format":["COMFY_DYNAMICCOMBO_V3",{"options":[
        {"key":"webm","inputs":{"required":{"codec":["COMFY_DYNAMICCOMBO_V3",
          {"options":[{"key":"av1","inputs":{}}]}]}}},
        {"key":"mp4","inputs":{"required":{"codec":["COMFY_DYNAMICCOMBO_V3",
          {"options":[{"key":"h264","inputs":{"optional":{"crf":["FLOAT",{}]}}}]}]}}}]}]}}})"};

TEST(Workflows, InputsAreNamedAsTheServerKnowsThem) {
  const std::vector<std::vector<std::string>> names{{"format", "codec", "crf"},
                                                    {"format", "codec", "codec.crf"},
                                                    {"format", "format.codec", "format.codec.crf"}};
  // Written for any form, it fits every other.
  const char* const graphs[] = {
      R"({"1":{"class_type":"SaveVideo","inputs":{"format":"mp4","codec":"h264","crf":20}}})",
      R"({"1":{"class_type":"SaveVideo","inputs":{"format":"mp4","codec":"h264","codec.crf":20}}})",
      R"({"1":{"class_type":"SaveVideo",
          "inputs":{"format":"mp4","format.codec":"h264","format.codec.crf":20}}})"};
  for (std::size_t form = 1; form < 3; ++form) {
    const Json info{{"SaveVideo", Json::parse(kSaveVideoForms[form])}};
    for (const char* const graph : graphs) {
      const Json adapted = in_form_of_server(Json::parse(graph), info);
      std::vector<std::string> found;
      for (const auto& [name, value] : adapted["1"]["inputs"].items()) found.push_back(name);
      EXPECT_EQ(found, names[form]) << graph;
      Workflow workflow;
      workflow.graph = adapted;
      EXPECT_TRUE(missing_for(workflow, info).empty());
    }
  }
  const Json old{{"SaveVideo", Json::parse(kSaveVideoForms[0])}};
  EXPECT_EQ(in_form_of_server(Json::parse(graphs[2]), old)["1"]["inputs"]["codec"], "h264");
}

TEST(Workflows, AChoiceThatNoFormHasIsNamed) {
  Workflow workflow;
  workflow.graph =
      Json::parse(R"({"1":{"class_type":"SaveVideo","inputs":{"format":"mp4","codec":"av2"}}})");
  for (const char* const form : kSaveVideoForms) {
    const auto missing = missing_for(workflow, Json{{"SaveVideo", Json::parse(form)}});
    ASSERT_EQ(missing.size(), 1U) << form;
    EXPECT_NE(missing[0].find("\"av2\" is no choice of SaveVideo."), std::string::npos);
  }
  workflow.graph["1"]["inputs"] = {{"format", "avi"}, {"codec", "h264"}};
  for (const char* const form : kSaveVideoForms) {
    EXPECT_EQ(missing_for(workflow, Json{{"SaveVideo", Json::parse(form)}}).size(), 1U) << form;
  }
}

TEST(Outcome, VideosComeFirstWhereverTheyStand) {
  const ComfyOutcome outcome = read_outcome(Json::parse(
      R"({"status":{"status_str":"success"},"outputs":{
          "3":{"images":[{"filename":"a.png","subfolder":"","type":"output"}]},
          "4":{"animated":[true],"gifs":[{"filename":"t.mp4","type":"temp"}]},
          "5":{"images":[{"filename":"v.mp4","subfolder":"s","type":"output"}]},
          "6":{"text":["x"]},"7":null}})"));
  EXPECT_EQ(outcome.kind, ComfyOutcome::Kind::kDone);
  ASSERT_EQ(outcome.files.size(), 3U);
  EXPECT_EQ(outcome.files[0].filename, "v.mp4");
  EXPECT_EQ(outcome.files[0].subfolder, "s");
  EXPECT_EQ(outcome.files[1].filename, "t.mp4");
}

TEST(Outcome, NonsenseIsAFailure) {
  for (const char* text : {"null", "{}", "[]", "7", R"({"status":7})", R"({"status":{}})",
                           R"({"status":{"messages":[[],["execution_error"],7]}})"}) {
    EXPECT_EQ(read_outcome(Json::parse(text)).kind, ComfyOutcome::Kind::kFailed) << text;
  }
  EXPECT_EQ(rejection_text(nullptr), "the answer is no JSON");
}

TEST(Providers, OfTheConfigurationAreReadable) {
  for (const auto& entry : fs::directory_iterator(kConfig / "providers")) {
    const Result<Provider> provider = read_provider(entry.path());
    ASSERT_TRUE(provider) << provider.failure().detail;
    EXPECT_EQ(provider->name, entry.path().stem().string());
    EXPECT_FALSE(provider->capabilities.archetypes.empty());
  }
}

TEST(Providers, FaultsAreAllNamed) {
  const fs::path file = fs::temp_directory_path() / "pytoon-provider-test.yaml";
  ASSERT_TRUE(write_file_atomically(file, R"(
name: x
headers: {A: "{{nonsense}}"}
capabilities: {archetypes: [NO], image_to_video: true, text_to_video: true, redraws: true,
               duration_seconds_max: 99, usd_per_second: 0}
prompt_chars_max: 10
image: upload
submit: {path: /a, json: {}, id: id}
poll: {path: /b, status: /s, done: [d], failed: [f], interval_ms: 1}
result: {}
extra: 1
)"));
  const Result<Provider> provider = read_provider(file);
  fs::remove(file);
  ASSERT_FALSE(provider);
  EXPECT_EQ(provider.failure().faults.size(), 8U);
}

class TableTest : public testing::Test {
 protected:
  Result<EngineTable> read(const EngineVariables& variables) {
    const Result<Json> json = read_yaml(kConfig / "engine.yaml");
    EXPECT_TRUE(json);
    return read_engine_table((*json)["engines"], kConfig, variables);
  }
};

TEST_F(TableTest, WithoutAddressesNothingIsSetUp) {
  const Result<EngineTable> table = read({});
  ASSERT_TRUE(table) << table.failure().detail;
  EXPECT_TRUE(table->comfyui.empty());
  EXPECT_TRUE(table->remote.empty());
  EXPECT_EQ(table->engine_chain.generate, std::chrono::seconds(300));
  EXPECT_EQ(table->caps.per_job_micro_usd, 5'000'000);
  EXPECT_EQ(table->job_time.whole, std::chrono::hours(2));
  EXPECT_EQ(table->job_time.for_engines(60), std::chrono::minutes(116));
}

TEST_F(TableTest, AJobsTimeMustLeaveEnginesSome) {
  Json section = (*read_yaml(kConfig / "engine.yaml"))["engines"];
  section["engine_deadline_seconds"] = 240;
  const Result<EngineTable> table = read_engine_table(section, kConfig, {});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.failure().faults.at(0).pointer, "/engines/engine_deadline_seconds");
  section["engine_deadline_seconds"] = 0;
  EXPECT_EQ(read_engine_table(section, kConfig, {}).failure().faults.size(), 1U);
  section["engine_deadline_seconds"] = 241;
  EXPECT_TRUE(read_engine_table(section, kConfig, {}));
  section["job"] = {{"seconds", 300}, {"drawing_seconds_per_second", 2}};  // the old names
  EXPECT_EQ(read_engine_table(section, kConfig, {})->job_time.for_engines(60),
            std::chrono::minutes(3));
}

TEST_F(TableTest, WhatCostsMoneyIsKnown) {
  EXPECT_FALSE(costs_money(*read({"", "https://pytoon.example.com", "k", ""})));
  EXPECT_TRUE(costs_money(*read({"", "", "k", "runway"})));
}

TEST_F(TableTest, TheVariablesGiveAddresses) {
  const Result<EngineTable> table =
      read({"http://127.0.0.1:8188, http://10.0.0.2:8188", "https://pytoon.example.com", "k", ""});
  ASSERT_TRUE(table) << table.failure().detail;
  ASSERT_EQ(table->comfyui.size(), 3U);
  EXPECT_EQ(table->comfyui[0].urls.size(), 2U);
  ASSERT_EQ(table->remote.size(), 1U);
  EXPECT_EQ(table->remote[0].provider.name, "pytoon");
}

TEST_F(TableTest, AProviderWithAnAddressNeedsOnlyAKey) {
  const Result<EngineTable> table = read({"", "", "k", "runway"});
  ASSERT_TRUE(table) << table.failure().detail;
  ASSERT_EQ(table->remote.size(), 1U);
  EXPECT_EQ(table->remote[0].base_url, "https://api.dev.runwayml.com");
}

TEST_F(TableTest, WrongVariablesAreNamed) {
  EXPECT_TRUE(read({"ftp://x", "", "", ""}).failure().detail.starts_with("COMFYUI_BASE_URL: "));
  EXPECT_EQ(read({"127.0.0.1:8199", "", "", ""}).failure().detail,
            "COMFYUI_BASE_URL: write http:// before 127.0.0.1:8199");
  EXPECT_TRUE(
      read({"", "http://u:p@h", "k", ""}).failure().detail.starts_with("API_ENGINE_BASE_URL: "));
  EXPECT_TRUE(read({"", "http://h", "", ""}).failure().detail.starts_with("API_ENGINE_KEY "));
  EXPECT_FALSE(read({"", "http://h", "k", "../../etc/passwd"}));
}

}  // namespace
}  // namespace pytoon::engines
