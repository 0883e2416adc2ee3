#include <iomanip>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/app/commands.h"
#include "server/app/complain.h"
#include "server/app/env.h"
#include "server/app/key_file.h"
#include "server/app/settings.h"
#include "server/app/settings_page.h"

namespace pytoon::app {
namespace {

struct Found {
  std::string value;
  std::string source;
};

// In the order of precedence. A variable that is set to nothing is not set.
Found find(const Setting& setting, const Environment& process, const Environment& file,
           const std::map<std::string, std::string>& of_files) {
  const std::string name(setting.name);
  const auto in = [&name](const auto& values) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
  if (const std::string value = in(process); !value.empty()) return {value, "environment"};
  if (const std::string value = in(file); !value.empty()) return {value, ".env"};
  if (const std::string value = in(of_files); !value.empty()) {
    return {value, std::string(setting.in_file)};
  }
  return {std::string(setting.fallback), setting.fallback.empty() ? "not set" : "default"};
}

}  // namespace

int check_config(const Config& config) {
  if (const auto keys = read_key_file(config); !keys) return complain(keys.failure());
  std::cout << "the configuration is sound: " << config.config_dir.string() << ", "
            << config.catalogue.presets.size() << " presets\n";
  return 0;
}

int show_config(const Config& config, bool json) {
  const Result<Environment> file = read_env_file(".env");
  const Environment process = process_environment();
  std::map<std::string, std::string> of_files;
  for (auto& [name, value] : values_of_files(config)) of_files.emplace(name, value);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Setting& setting : settings()) {
    const Found found = find(setting, process, file ? *file : Environment{}, of_files);
    const std::string value = shown(setting, found.value);
    if (json) {
      list.push_back({{"name", setting.name},
                      {"value", value},
                      {"unit", setting.unit},
                      {"source", found.source}});
    } else {
      std::cout << std::left << std::setw(36) << setting.name << std::setw(30)
                << (value.empty() ? "-" : value) << "  " << found.source << "\n";
    }
  }
  if (json) std::cout << json_text(nlohmann::ordered_json{{"settings", list}}, 2) << "\n";
  return 0;
}

int print_settings_page(const Config& config) {
  const Result<std::string> page = settings_page(config);
  if (!page) return complain(page.failure());
  std::cout << *page;
  return 0;
}

}  // namespace pytoon::app
