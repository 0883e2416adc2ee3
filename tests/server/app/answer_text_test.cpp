#include "server/app/answer_text.h"

#include <gtest/gtest.h>

namespace pytoon::app {

using Json = nlohmann::ordered_json;

TEST(GpuLines, TellACardsMemoryAndItsPromises) {
  const Json capacity = Json::parse(R"({"gpus": [{
    "gpu": "GPU-1", "name": "Model 4000", "stale": false, "age_seconds": 0.25,
    "total_bytes": 25769803776, "free_bytes": 12884901888, "available_bytes": 8589934592,
    "promised_bytes": 4831838208, "held_bytes": 536870912, "foreign_bytes": 1073741824,
    "headroom_bytes": 536870912, "encoder_sessions": {"used": 3, "allowed": 8},
    "comfyui": {"state": "busy", "resident_bytes": 7516192768, "working_bytes": 3221225472,
                "paged_bytes": 0, "residue_bytes": 268435456, "models": []},
    "promises": [
      {"worker_id": "w1", "task": "job/3", "lane": "render", "promised_bytes": 536870912,
       "held_bytes": 268435456, "expires_at": "2026-01-01T00:00:15.000Z", "ended": false},
      {"worker_id": "w2", "task": "job/4", "lane": "generate", "promised_bytes": 4294967296,
       "held_bytes": 0, "expires_at": "2026-01-01T00:00:15.000Z", "ended": true}]}]})");
  EXPECT_EQ(gpu_lines(capacity),
            "gpu GPU-1                 Model 4000, 24.0 GiB, sampled 0.25 s ago\n"
            "  free                    12.0 GiB, of which 7.5 GiB could be promised\n"
            "  promised                4.5 GiB, of which 512 MiB is held\n"
            "  ComfyUI                 busy, models 7.0 GiB, working 3.0 GiB, residue 256 MiB\n"
            "  other programs          1.0 GiB\n"
            "  encoder sessions        3 open, 8 allowed\n"
            "  promise                 render 512 MiB (held 256 MiB) for job/3 of worker w1 until "
            "2026-01-01T00:00:15.000Z\n"
            "  promise                 generate 4.0 GiB (held 0 MiB) for job/4 of worker w2, ended "
            "and not measured yet\n");
}

TEST(GpuLines, SayWhatIsStaleOrUnknown) {
  const std::string text = gpu_lines(Json::parse(R"({"gpus": [{
    "gpu": "GPU-2", "name": null, "stale": true, "age_seconds": 90.5, "available_bytes": -5,
    "encoder_sessions": {"used": null, "allowed": null}, "comfyui": null, "promises": []}]})"));
  EXPECT_NE(text.find("-, 0 MiB, sampled 90.5 s ago: stale, nothing is promised\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("of which 0 MiB could be promised\n"), std::string::npos);
  EXPECT_NE(text.find("- open, no limit\n"), std::string::npos);
  EXPECT_EQ(text.find("ComfyUI"), std::string::npos);
  EXPECT_EQ(gpu_lines(Json::parse(R"({"workers": []})")), "");  // a server of before
}

}  // namespace pytoon::app
