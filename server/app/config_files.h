// The files of the config folder that hold settings: defaults.yaml, plans.yaml and engine.yaml
// (presets, platforms, fonts, providers and workflows are content, and read by their own rooms).
//
// Thread rule: pure but for read_settings_file() and the files that engine.yaml names. Blocking:
// small files. Errors: kInvalid with every fault of the file, each with its JSON pointer.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/app/config.h"

namespace pytoon::app {

struct SettingsFile {
  std::string_view name;
  bool optional;  // without it the defaults of the program hold
  Status (*read)(const nlohmann::ordered_json& json, const engines::EngineVariables& variables,
                 Config& config);
};

std::span<const SettingsFile> settings_files();

// One file of config.config_dir into `config`; the error's detail names the file.
Status read_settings_file(const SettingsFile& file, const engines::EngineVariables& variables,
                          Config& config);

struct RetentionSetting {
  const char* field;     // of the section retention in defaults.yaml
  const char* variable;  // overrules it
  std::chrono::hours jobs::Retention::*age;
  int unit_hours = 24;
};

std::span<const RetentionSetting> retention_settings();

// One value of a settings file that is no list.
struct FileKey {
  std::string key;    // "encoder.crf"
  std::string value;  // as the file has it
  std::string rule;   // what it may be, as a refusal of a wrong value says it
};

// Every such value of a file, in its order. CHECKs that the file itself is sound.
std::vector<FileKey> keys_of(const SettingsFile& file, const nlohmann::ordered_json& json,
                             const Config& config);

}  // namespace pytoon::app
