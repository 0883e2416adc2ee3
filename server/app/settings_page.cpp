#include "server/app/settings_page.h"

#include <nlohmann/json.hpp>

#include "base/yaml.h"
#include "server/app/config_files.h"
#include "server/app/settings.h"

namespace pytoon::app {
namespace {

constexpr std::string_view kHead =
    R"(# Configuration

Made by `pytoon config page` from what the program reads its settings by
(`server/app/settings_table.cpp`, `server/app/config_files.cpp`); a test holds the two together.

A variable of the process's environment comes first, then `.env` in the working folder, then
config/*.yaml, then the default. An empty one is not set. A wrong value stops the start with one
line that names it. `pytoon config check` says whether there is one; `pytoon config show` lists
every value that holds and where it comes from, secrets as `***`.
)";

std::string cell(std::string_view text) { return " " + std::string(text) + " |"; }

std::string variables() {
  std::string part;
  std::string_view group;
  for (const Setting& setting : settings()) {
    if (setting.group != group) {
      group = setting.group;
      part += "\n## " + std::string(group) +
              "\n\n| variable | default | unit | what | in a file |\n| --- | --- | --- | --- | --- "
              "|\n";
    }
    const std::string bounds = setting.most == 0 ? std::string()
                                                 : "; " + std::to_string(setting.least) + " to " +
                                                       std::to_string(setting.most);
    part += "|" + cell(setting.name) + cell(setting.fallback) + cell(setting.unit) +
            cell(std::string(setting.about) + bounds) + cell(setting.in_file) + "\n";
  }
  return part;
}

Result<std::string> values_of(const SettingsFile& file, const Config& config) {
  const Result<nlohmann::ordered_json> json = read_yaml(config.config_dir / file.name);
  if (!json) return json.failure();
  std::string part = "\n## config/" + std::string(file.name) +
                     "\n\nWhat each value does stands beside it in the file, with its unit. Lists "
                     "are explained there too.\n\n| value | shipped | may be |\n| --- | --- | --- "
                     "|\n";
  for (const FileKey& key : keys_of(file, *json, config)) {
    part += "|" + cell(key.key) + cell(key.value) + cell(key.rule) + "\n";
  }
  return part;
}

}  // namespace

Result<std::string> settings_page(const Config& config) {
  std::string page = std::string(kHead) + variables();
  for (const SettingsFile& file : settings_files()) {
    const Result<std::string> part = values_of(file, config);
    if (!part) return part.failure();
    page += *part;
  }
  return page;
}

}  // namespace pytoon::app
