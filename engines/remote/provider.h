// How to talk to one kind of remote engine: a mapping file of config/providers, read and checked.
// Its schema is written down in docs/remote-engines.md.
//
// Slots in paths, headers and JSON: key, id, idempotency_key, archetype, brand_safe, prompt, seed,
// seconds, image (what upload gave, or the image itself as base64 or data URI; null without one),
// platform, width, height.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engines/engine.h"
#include "engines/placeholders.h"

namespace pytoon::engines {

enum class ImageDelivery { kNone, kUpload, kBase64, kDataUri };

struct Provider {
  struct Call {
    std::string method;
    std::string path;  // relative to the base URL; may hold slots
  };
  struct Upload {
    Call call;
    std::string file_field;
    std::map<std::string, std::string> fields;
    std::string image;  // JSON pointer into the answer: what {{image}} becomes
  };
  struct Submit {
    Call call;
    Json json;
    std::string idempotency_header;  // "" when the provider has none: then nothing is sent twice
    std::string id;                  // JSON pointer
  };
  struct Poll {
    Call call;
    std::string status;  // JSON pointers
    std::set<std::string> done;
    std::set<std::string> failed;
    std::string error;
    std::string progress;
    double progress_of = 1;  // what counts as 100 %
    std::chrono::milliseconds interval{2000};
  };
  struct Result {
    std::optional<Call> call;  // fetched when done; else the poll's last answer is looked at
    std::string video;         // JSON pointer to a link; "" when `download` is set
    std::string download;      // a path
  };

  std::string name;
  std::string base_url;  // the operator's may replace it
  std::map<std::string, std::string> headers;
  Capabilities capabilities;
  std::vector<int> durations_seconds;  // the clip lengths there are; empty: every whole second
  int prompt_chars_max = 1000;
  ImageDelivery image = ImageDelivery::kNone;
  std::optional<Call> health;
  std::optional<Upload> upload;
  Submit submit;
  Poll poll;
  Result result;
  std::optional<Call> cancel;

  // The shortest clip it makes that is long enough; else its longest.
  int duration_for(int seconds) const;
};

// All faults at once, each with its pointer; the detail names the file.
pytoon::Result<Provider> read_provider(const std::filesystem::path& file);

}  // namespace pytoon::engines
