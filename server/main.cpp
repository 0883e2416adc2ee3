// pytoon SUBCOMMAND: reads the command line and the configuration, and hands over.

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "server/app/commands.h"

namespace {

using pytoon::app::Config;

int with_config(const std::function<int(const Config&)>& command) {
  const auto environment = pytoon::app::read_environment(".env");
  const pytoon::Result<Config> config = environment ? pytoon::app::read_config(*environment)
                                                    : pytoon::Result<Config>(environment.failure());
  if (!config) {
    std::cerr << "pytoon: " << config.failure().detail << "\n";
    return 2;
  }
  return command(*config);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Pytoon turns product images and a few lines of text into finished videos.",
               "pytoon");
  app.require_subcommand(1);
  app.footer("Settings come from the environment and from .env: see .env.example.");

  const CLI::App* serve = app.add_subcommand("serve", "Run API and workers in one process");
  CLI::App* render = app.add_subcommand("render", "Render one request without a server");
  std::string request;
  std::string out;
  render
      ->add_option(
          "request", request,
          "JSON file: the body of POST /api/v1/jobs, with paths in image_uris, clip_uris, mask_uri")
      ->required();
  render->add_option("--out", out, "Folder for output.mp4, thumbnail.jpg, metadata.json, segments/")
      ->required();
  const CLI::App* doctor = app.add_subcommand("doctor", "Say what this machine has and lacks");
  CLI::App* presets = app.add_subcommand("presets", "List the presets");
  bool json = false;
  presets->add_flag("--json", json, "As GET /api/v1/presets answers");
  const CLI::App* version = app.add_subcommand("version", "Print the version");
  CLI11_PARSE(app, argc, argv);

  if (version->parsed()) {
    std::cout << "pytoon " PYTOON_VERSION "\n";
    return 0;
  }
  return with_config([&](const Config& config) {
    if (serve->parsed()) return pytoon::app::serve(config);
    if (render->parsed()) return pytoon::app::render_request(config, request, out);
    if (doctor->parsed()) return pytoon::app::doctor(config);
    CHECK(presets->parsed(), "a subcommand without a handler");
    return pytoon::app::list_presets(config, json);
  });
}
